//! The steering of a master, its replicas and its sentinels.

mod form;

use std::{fmt, io, sync::Arc, time::Duration};

use tokio::time::Instant;

pub(crate) use self::form::{start_watched, start_watching};
use super::attempts::{Attempts, failed};
use crate::{EmulatorError, RedisControl, gateway::door::Door};

/// A failover that gets nowhere is given up by the sentinel that leads it.
const ASK_AGAIN: Duration = Duration::from_secs(20);

/// The nodes and sentinels of a [`Store::Sentinel`](crate::Store::Sentinel), and what can become of
/// them.
///
/// Got from [`Emulator::sentinel`](crate::Emulator::sentinel). A node is known
/// by its index, which it keeps whatever its role: 0 is the one that starts as
/// the master. So is a sentinel.
///
/// # Panics
/// Methods that take an index panic if nothing has it.
///
/// # Cancel safety
/// What a dropped future has told the sentinels stands.
pub struct SentinelControl {
    redis: Arc<RedisControl>,
    sentinels: Arc<RedisControl>,
    urls: Vec<String>,
    tls_urls: Vec<String>,
    sentinel_urls: Vec<String>,
    sentinel_tls_urls: Vec<String>,
}

impl SentinelControl {
    pub(crate) fn new(
        (redis, doors): (Arc<RedisControl>, &[Door]),
        (sentinels, sentinel_doors): (Arc<RedisControl>, &[Door]),
    ) -> Self {
        Self {
            redis,
            sentinels,
            urls: doors.iter().map(Door::url).collect(),
            tls_urls: doors.iter().map(Door::tls_url).collect(),
            sentinel_urls: sentinel_doors.iter().map(Door::url).collect(),
            sentinel_tls_urls: sentinel_doors.iter().map(Door::tls_url).collect(),
        }
    }

    /// `redis://127.0.0.1:PORT` of every sentinel's gateway.
    pub fn sentinel_urls(&self) -> &[String] {
        &self.sentinel_urls
    }

    /// `rediss://localhost:PORT` of every sentinel's gateway.
    pub fn sentinel_tls_urls(&self) -> &[String] {
        &self.sentinel_tls_urls
    }

    /// `redis://127.0.0.1:PORT` of every node's gateway.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// `rediss://localhost:PORT` of every node's gateway.
    pub fn tls_urls(&self) -> &[String] {
        &self.tls_urls
    }

    /// What the sentinels call the master: `mymaster`.
    pub fn master_name(&self) -> &str {
        form::NAME
    }

    /// Faults and counters of the sentinels' gateways, apart from those of
    /// [`Emulator::redis`](crate::Emulator::redis). Its methods that stop and
    /// start servers do so with the sentinels.
    pub fn sentinels(&self) -> &RedisControl {
        &self.sentinels
    }

    /// The node that all running sentinels call the master, which may be dead.
    ///
    /// # Errors
    /// When they don't agree within three minutes.
    pub async fn master(&self) -> Result<usize, EmulatorError> {
        let attempts = Attempts::at("the sentinels' agreement");
        loop {
            let named = form::named(&self.sentinels.backend.running()).await;
            let index = named.map(|port| port.and_then(|port| self.index_of(port)));
            if let Some(index) = attempts.made(index).await? {
                return Ok(index);
            }
        }
    }

    /// Has the sentinels make another node the master (`SENTINEL FAILOVER`).
    /// Gives it once all of them call it so, and it does itself.
    ///
    /// The old master goes on for about ten seconds more, until the sentinels
    /// make it a replica; what is written to it is lost.
    /// [`wait_until_ok`](Self::wait_until_ok) waits for that.
    ///
    /// # Errors
    /// When there is no replica fit for it, no sentinel, or it takes more than
    /// three minutes.
    pub async fn fail_over(&self) -> Result<usize, EmulatorError> {
        const DOING: &str = "failing over";
        if self.urls.len() < 2 {
            return Err(failed(DOING, "there is no replica"));
        }
        let old = self.master().await?;
        let old_port = self.redis.backend.server(old).port();
        let attempts = Attempts::at(DOING);
        let mut last_asked: Option<Instant> = None;
        loop {
            let attempt = async {
                let sentinels = self.sentinels.backend.running();
                if let Some(new) = self.taken_over(old_port).await? {
                    return Ok(Some(new));
                }
                let first = sentinels.first().ok_or(io::ErrorKind::NotConnected)?;
                let undone = form::named(&[first]).await? == Some(old_port);
                if undone && last_asked.is_none_or(|asked| asked.elapsed() > ASK_AGAIN) {
                    form::begin_failover(first).await?;
                    last_asked = Some(Instant::now());
                }
                Ok(None)
            };
            let outcome = attempt.await;
            if let Some(new) = attempts.made(outcome).await? {
                return Ok(new);
            }
        }
    }

    /// Kills the master's process and gives its index. The sentinels notice
    /// after three seconds and make a replica the master.
    ///
    /// # Errors
    /// When the sentinels don't agree who that is within three minutes.
    pub async fn kill_master(&self) -> Result<usize, EmulatorError> {
        let master = self.master().await?;
        self.kill_node(master);
        Ok(master)
    }

    /// Kills a node's process; its connections end with it, and new ones are
    /// closed as soon as they are made.
    pub fn kill_node(&self, node: usize) {
        self.redis.backend.stop_node(node);
    }

    /// Starts a killed node again, on the same port with its data. One that was
    /// the master takes itself for it still, for about ten seconds, until the
    /// sentinels make it a replica. Does nothing if it runs.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn start_node(&self, node: usize) -> Result<(), EmulatorError> {
        self.redis.backend.resume_node(node).await
    }

    /// Kills a sentinel.
    pub fn kill_sentinel(&self, sentinel: usize) {
        self.sentinels.backend.stop_node(sentinel);
    }

    /// Starts a killed sentinel again, with what it knew. Does nothing if it
    /// runs.
    ///
    /// # Errors
    /// When it does not come back.
    pub async fn start_sentinel(&self, sentinel: usize) -> Result<(), EmulatorError> {
        self.sentinels.backend.resume_node(sentinel).await
    }

    /// Waits until all running sentinels call another node than this one the
    /// master, and it does itself. Gives it.
    ///
    /// # Errors
    /// When that takes more than three minutes.
    pub async fn wait_for_takeover(&self, killed: usize) -> Result<usize, EmulatorError> {
        let old_port = self.redis.backend.server(killed).port();
        let attempts = Attempts::at("the takeover");
        loop {
            let new = self.taken_over(old_port).await;
            if let Some(new) = attempts.made(new).await? {
                return Ok(new);
            }
        }
    }

    /// Waits until all running sentinels call the same node the master, and all
    /// other running nodes follow it.
    ///
    /// # Errors
    /// When that takes more than three minutes.
    pub async fn wait_until_ok(&self) -> Result<(), EmulatorError> {
        let attempts = Attempts::at("the replicas' following their master");
        loop {
            let attempt = async {
                let named = form::named(&self.sentinels.backend.running()).await?;
                match named {
                    Some(master) => form::follow(&self.redis.backend.running(), master).await,
                    None => Ok(None),
                }
            };
            let outcome = attempt.await;
            if attempts.made(outcome).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// The new master, if the sentinels agree on another one than that.
    async fn taken_over(&self, old_port: u16) -> io::Result<Option<usize>> {
        let named = form::named(&self.sentinels.backend.running()).await?;
        let new = named.filter(|&port| port != old_port);
        let Some(new) = new.and_then(|port| self.index_of(port)) else {
            return Ok(None);
        };
        let master = form::is_master(self.redis.backend.server(new)).await?;
        Ok(master.then_some(new))
    }

    fn index_of(&self, port: u16) -> Option<usize> {
        self.redis.backend.index_of(port)
    }

    /// The emulator is being dropped.
    pub(crate) fn end(&self) {
        self.sentinels.end();
    }
}

impl fmt::Debug for SentinelControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SentinelControl")
            .field("urls", &self.urls)
            .field("sentinel_urls", &self.sentinel_urls)
            .finish_non_exhaustive()
    }
}
