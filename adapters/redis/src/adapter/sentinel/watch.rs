//! Hears from the sentinels that another server has become the master.
//!
//! After `SENTINEL FAILOVER` an old master goes on as one for some ten seconds,
//! and nobody closes the connections to it: what is written there is lost.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::ask::{self, Address};
use super::redis::{ConnectionInfo, ErrorKind, RedisError, RedisResult};
use super::{SentinelLogin, Shared, error};
use futures_util::StreamExt;
use futures_util::future::{AbortHandle, Either, FutureExt, abortable, join_all, select};
use redis_authx::{Clock, ConfigError, Credentials, Runtime, Spawner};

/// Where a sentinel tells of every switch: service, host and port of the old
/// master, host and port of the new one (Redis documentation, "High availability
/// with Redis Sentinel", Pub/Sub messages).
const CHANNEL: &str = "+switch-master";

/// How long after a sentinel was lost it is subscribed to again, doubling …
const PAUSE: Duration = Duration::from_secs(1);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// The connections to one service's master. All its sentinels are listened to
/// until it is dropped.
pub(crate) struct Watch {
    connections: Mutex<Vec<Weak<Shared>>>,
    task: AbortHandle,
}

impl Watch {
    pub(super) fn start(
        sentinels: Vec<ConnectionInfo>,
        service: String,
        login: SentinelLogin,
        credentials: Credentials,
        runtime: &Arc<dyn Runtime>,
    ) -> Result<Arc<Self>, ConfigError> {
        let mut spawned = Ok(());
        let watch = Arc::new_cyclic(|watch| {
            let listening = sentinels.into_iter().map(|sentinel| Listener {
                watch: Weak::clone(watch),
                sentinel,
                service: service.clone(),
                login: login.clone(),
                credentials: credentials.clone(),
                runtime: Arc::clone(runtime),
            });
            let listening: Vec<_> = listening.map(Listener::run).collect();
            let (task, handle) = abortable(join_all(listening));
            spawned = runtime.spawn(task.map(drop).boxed());
            Self {
                connections: Mutex::default(),
                task: handle,
            }
        });
        spawned.map(|()| watch)
    }

    /// Forgets those that are gone.
    pub(super) fn add(&self, connection: &Arc<Shared>) {
        let mut connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        connections.retain(|connection| connection.strong_count() > 0);
        connections.push(Arc::downgrade(connection));
    }

    /// Has every connection replaced that is to another server.
    fn switched(&self, master: &Address) {
        let connections = self
            .connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for connection in connections.iter().filter_map(Weak::upgrade) {
            connection.leave_unless_at(master);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Listener {
    watch: Weak<Watch>,
    sentinel: ConnectionInfo,
    service: String,
    login: SentinelLogin,
    credentials: Credentials,
    runtime: Arc<dyn Runtime>,
}

impl Listener {
    async fn run(self) {
        let mut pause = PAUSE;
        loop {
            if self.listen().await.is_ok() {
                pause = PAUSE;
            }
            self.runtime.sleep_until(self.runtime.now() + pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Listens until the connection ends: `Ok` when it was there.
    async fn listen(&self) -> RedisResult<()> {
        let token = self.credentials.current().map_err(error::no_token)?;
        let client = ask::client(&self.sentinel, &self.login, &token)?;
        let subscribing = async {
            let mut messages = client.get_async_pubsub().await?;
            messages.subscribe(CHANNEL).await?;
            Ok::<_, RedisError>(messages)
        };
        let limit = self.runtime.sleep_until(self.runtime.now() + ask::LIMIT);
        let messages = match select(subscribing.boxed(), limit).await {
            Either::Left((messages, _)) => messages?,
            Either::Right(_) => {
                return Err((ErrorKind::Io, "a sentinel did not answer in time").into());
            }
        };
        let mut messages = messages.into_on_message();
        while let Some(message) = messages.next().await {
            let told = message.get_payload::<String>();
            let master = told.ok().and_then(|told| new_master(&told, &self.service));
            if let (Some(master), Some(watch)) = (master, self.watch.upgrade()) {
                watch.switched(&master);
            }
        }
        Ok(())
    }
}

/// The new master of that service, if it is the one that was told of.
fn new_master(told: &str, service: &str) -> Option<Address> {
    let words: Vec<_> = told.split(' ').collect();
    let [name, _, _, host, port] = words[..] else {
        return None;
    };
    let address = (host.to_owned(), port.parse().ok()?);
    (name == service).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_read() {
        let told = "mymaster 10.0.0.1 6379 10.0.0.2 6380";
        let address = ("10.0.0.2".to_owned(), 6380);
        assert_eq!(new_master(told, "mymaster"), Some(address));
        assert_eq!(new_master(told, "other"), None);
        for odd in ["", "mymaster", "mymaster 1 2 3 x", "mymaster a 1 b 2 c"] {
            assert_eq!(new_master(odd, "mymaster"), None, "{odd}");
        }
    }
}
