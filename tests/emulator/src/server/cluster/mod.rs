//! The steering of a cluster.

mod form;
mod reshard;
mod view;

use std::{fmt, io, sync::Arc, time::Duration};

use tokio::time::Instant;

pub(crate) use self::form::start;
use self::{reshard::Move, view::Seen};
use super::{
    attempts::{Attempts, failed},
    child::RedisServer,
};
use crate::{EmulatorError, RedisControl, gateway::door::Door};

/// An election may fail, as by a vote for another one.
const ASK_AGAIN: Duration = Duration::from_secs(10);

/// The nodes of a [`Store::Cluster`](crate::Store::Cluster), and what can become of them.
///
/// Got from [`Emulator::cluster`](crate::Emulator::cluster). A node is known by
/// its index, which it keeps whatever its role: those that start as primaries
/// come first, the replicas after them, the replica with index `primaries + n`
/// being that of primary `n % primaries`.
///
/// # Panics
/// Methods that take the index of a node panic if there is none.
///
/// # Cancel safety
/// What a dropped future has told the nodes stands: a failover comes about, and
/// a slot may be left halfway, until
/// [`finish_migration`](Self::finish_migration).
pub struct ClusterControl {
    redis: Arc<RedisControl>,
    urls: Vec<String>,
    tls_urls: Vec<String>,
}

impl ClusterControl {
    pub(crate) fn new(redis: Arc<RedisControl>, doors: &[Door]) -> Self {
        Self {
            redis,
            urls: doors.iter().map(Door::url).collect(),
            tls_urls: doors.iter().map(Door::tls_url).collect(),
        }
    }

    /// `redis://127.0.0.1:PORT` of every node's gateway.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// `rediss://localhost:PORT` of every node's gateway.
    pub fn tls_urls(&self) -> &[String] {
        &self.tls_urls
    }

    /// The nodes that are primaries now, as the running ones agree.
    ///
    /// # Errors
    /// When they don't agree within three minutes.
    pub async fn primaries(&self) -> Result<Vec<usize>, EmulatorError> {
        let seen = self.seen().await?;
        let mut primaries: Vec<_> = seen
            .iter()
            .filter(|node| node.primary && !node.unwell)
            .filter_map(|node| self.index(node))
            .collect();
        primaries.sort_unstable();
        Ok(primaries)
    }

    /// The node that serves this slot now (0 to 16383).
    ///
    /// # Errors
    /// When the nodes don't agree on one within three minutes.
    pub async fn primary_of_slot(&self, slot: u16) -> Result<usize, EmulatorError> {
        let seen = self.seen().await?;
        seen.iter()
            .find(|node| node.serves(slot))
            .and_then(|node| self.index(node))
            .ok_or_else(|| failed("finding a slot", "it is nobody's"))
    }

    /// Waits until every node that runs says that the cluster is well, sees the
    /// same roles and slots as the others, and follows its primary if it is a
    /// replica.
    ///
    /// # Errors
    /// When that takes more than three minutes.
    pub async fn wait_until_ok(&self) -> Result<(), EmulatorError> {
        self.seen().await.map(drop)
    }

    /// Makes a replica of this primary the primary, in agreement with it: no
    /// write is lost (`CLUSTER FAILOVER`). Gives the new primary, once all
    /// agree on it.
    ///
    /// # Errors
    /// When the node is no primary or has no replica, and when it takes more
    /// than three minutes.
    pub async fn fail_over(&self, primary: usize) -> Result<usize, EmulatorError> {
        const DOING: &str = "failing over";
        let port = self.server(primary).port();
        let seen = self.seen().await?;
        let old = seen.iter().find(|node| node.port == port && node.primary);
        let old = old.ok_or_else(|| failed(DOING, "the node is no primary"))?;
        let replica = seen
            .iter()
            .filter(|node| node.replica_of.as_deref() == Some(&old.id) && !node.unwell)
            .find_map(|node| self.index(node))
            .ok_or_else(|| failed(DOING, "the node has no replica"))?;
        let new_port = self.server(replica).port();
        let attempts = Attempts::at(DOING);
        let mut last_asked: Option<Instant> = None;
        loop {
            let attempt = async {
                let seen = form::agreed(&self.running()).await?;
                if seen.is_some_and(|seen| {
                    seen.iter()
                        .any(|node| node.port == new_port && node.serves_some())
                }) {
                    return Ok(Some(()));
                }
                if last_asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
                    last_asked = Some(Instant::now());
                    let mut admin = self.server(replica).admin().await?;
                    admin.ask_all(&["CLUSTER", "FAILOVER"]).await?;
                }
                Ok(None)
            };
            let outcome = attempt.await;
            if attempts.made(outcome).await?.is_some() {
                return Ok(replica);
            }
        }
    }

    /// Kills the node's process; its connections end with it, and new ones are
    /// closed as soon as they are made. If it is a primary with a replica, the
    /// cluster makes that the primary within some seconds.
    pub fn kill_node(&self, node: usize) {
        self.redis.backend.stop_node(node);
    }

    /// Starts a killed node again, on the same port with its data: it joins as
    /// what the others have made of it. Does nothing if it runs.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn start_node(&self, node: usize) -> Result<(), EmulatorError> {
        self.redis.backend.resume_node(node).await
    }

    /// Waits until the running nodes agree that the slots of one that was killed
    /// are served by others.
    ///
    /// # Errors
    /// When that takes more than three minutes.
    pub async fn wait_for_takeover(&self, killed: usize) -> Result<(), EmulatorError> {
        let port = self.server(killed).port();
        let attempts = Attempts::at("the takeover");
        loop {
            let seen = form::agreed(&self.running()).await;
            let taken_over = seen.map(|seen| {
                seen.filter(|seen| {
                    !seen
                        .iter()
                        .any(|node| node.port == port && node.serves_some())
                })
            });
            if attempts.made(taken_over).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// Moves the first `count` slots of one primary to another one, with their
    /// keys, while clients go on; they meet `ASK` and `MOVED` on the way. Gives
    /// the slots.
    ///
    /// # Errors
    /// When a node refuses a step, or they don't agree within three minutes.
    pub async fn migrate_slots(
        &self,
        from: usize,
        to: usize,
        count: usize,
    ) -> Result<Vec<u16>, EmulatorError> {
        let port = self.server(from).port();
        let seen = self.seen().await?;
        let slots: Vec<u16> = seen
            .iter()
            .filter(|node| node.port == port)
            .flat_map(Seen::all_slots)
            .take(count)
            .collect();
        let moved = async {
            let mut moving = Move::new(self.server(from), self.server(to)).await?;
            for &slot in &slots {
                moving.open(slot).await?;
                moving.keys(slot).await?;
                moving.close(slot, &self.others(from, to)).await?;
            }
            Ok(())
        };
        let moved: io::Result<()> = moved.await;
        moved.map_err(|error| failed("moving slots", error))?;
        self.wait_until_ok().await?;
        Ok(slots)
    }

    /// The first half of moving one slot: its keys are at the new node, the
    /// slot is the old one's still. Requests for keys get `ASK`, or `TRYAGAIN`
    /// if they name several and not all are there.
    ///
    /// # Errors
    /// When a node refuses a step.
    pub async fn begin_migration(
        &self,
        from: usize,
        to: usize,
        slot: u16,
    ) -> Result<(), EmulatorError> {
        let begun = async {
            let mut moving = Move::new(self.server(from), self.server(to)).await?;
            moving.open(slot).await?;
            moving.keys(slot).await
        };
        begun
            .await
            .map_err(|error| failed("beginning to move a slot", error))
    }

    /// The second half: the slot is the new node's. Keys that were made at the
    /// old one since then are moved.
    ///
    /// # Errors
    /// When a node refuses a step, or they don't agree within three minutes.
    pub async fn finish_migration(
        &self,
        from: usize,
        to: usize,
        slot: u16,
    ) -> Result<(), EmulatorError> {
        let finished = async {
            let mut moving = Move::new(self.server(from), self.server(to)).await?;
            moving.keys(slot).await?;
            moving.close(slot, &self.others(from, to)).await
        };
        finished
            .await
            .map_err(|error| failed("finishing to move a slot", error))?;
        self.wait_until_ok().await
    }

    async fn seen(&self) -> Result<Vec<Seen>, EmulatorError> {
        let attempts = Attempts::at("the nodes' agreement");
        loop {
            let seen = form::agreed(&self.running()).await;
            if let Some(seen) = attempts.made(seen).await? {
                return Ok(seen);
            }
        }
    }

    fn server(&self, node: usize) -> &RedisServer {
        self.redis.backend.server(node)
    }

    fn running(&self) -> Vec<&RedisServer> {
        self.redis.backend.running()
    }

    fn others(&self, from: usize, to: usize) -> Vec<&RedisServer> {
        let ports = [self.server(from).port(), self.server(to).port()];
        let mut others = self.running();
        others.retain(|server| !ports.contains(&server.port()));
        others
    }

    fn index(&self, seen: &Seen) -> Option<usize> {
        self.redis.backend.index_of(seen.port)
    }
}

impl fmt::Debug for ClusterControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterControl")
            .field("urls", &self.urls)
            .finish_non_exhaustive()
    }
}
