//! Slots move from node to node while clients go on (Redis documentation, "CLUSTER SETSLOT",
//! section "Redis Cluster live resharding explained", and "MIGRATE").

use std::io;

use super::view;
use crate::server::{admin::Admin, child::RedisServer};

/// How many keys are moved at once.
const BATCH: &str = "100";
/// How many milliseconds one batch may take.
const LIMIT: &str = "15000";

/// A slot between two nodes.
pub(crate) struct Move<'a> {
    from: Admin,
    from_id: String,
    to: Admin,
    to_id: String,
    to_server: &'a RedisServer,
}

impl<'a> Move<'a> {
    pub(crate) async fn new(from: &RedisServer, to: &'a RedisServer) -> io::Result<Self> {
        let (mut from, mut to_admin) = (from.admin().await?, to.admin().await?);
        Ok(Self {
            from_id: from.ask_text(&["CLUSTER", "MYID"]).await?,
            from,
            to_id: to_admin.ask_text(&["CLUSTER", "MYID"]).await?,
            to: to_admin,
            to_server: to,
        })
    }

    /// From now on whoever asks for a key that has left the slot gets `ASK`.
    pub(crate) async fn open(&mut self, slot: u16) -> io::Result<()> {
        let slot = slot.to_string();
        let set = ["CLUSTER", "SETSLOT", &slot];
        let importing = [&set[..], &["IMPORTING", &self.from_id]].concat();
        self.to.ask_all(&importing).await?;
        let migrating = [&set[..], &["MIGRATING", &self.to_id]].concat();
        self.from.ask_all(&migrating).await.map(drop)
    }

    /// Moves the keys that the slot holds.
    pub(crate) async fn keys(&mut self, slot: u16) -> io::Result<()> {
        let slot = slot.to_string();
        let port = self.to_server.port().to_string();
        let password = self.to_server.default_password().unwrap_or_default();
        loop {
            let count = ["CLUSTER", "GETKEYSINSLOT", &slot, BATCH];
            let keys = self.from.ask_all(&count).await?;
            if keys.is_empty() {
                return Ok(());
            }
            let target = ["MIGRATE", "127.0.0.1", &port, "", "0", LIMIT];
            let options = ["AUTH", password, "KEYS"];
            let mut words: Vec<&[u8]> = Vec::new();
            words.extend(target.iter().chain(&options).map(|word| word.as_bytes()));
            words.extend(keys.iter().map(Vec::as_slice));
            self.from.ask_all(&words).await?;
        }
    }

    /// The slot is the new node's; whoever asks the old one gets `MOVED`. The new one is told
    /// first, so that the slot is always someone's.
    pub(crate) async fn close(&mut self, slot: u16, others: &[&RedisServer]) -> io::Result<()> {
        let slot = slot.to_string();
        let assign = ["CLUSTER", "SETSLOT", &slot, "NODE", &self.to_id];
        self.to.ask_all(&assign).await?;
        self.from.ask_all(&assign).await?;
        for other in others {
            let mut admin = other.admin().await?;
            let seen = view::ask(&mut admin).await?;
            // Only primaries are told; replicas hear of it.
            if seen.iter().any(|node| node.myself && node.primary) {
                admin.ask_all(&assign).await?;
            }
        }
        Ok(())
    }
}
