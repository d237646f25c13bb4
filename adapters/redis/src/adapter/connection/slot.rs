//! Where the link of one connection is, and how it is re-authenticated.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::redis;
use super::redis::RedisResult;
use super::redis::aio::MultiplexedConnection;
use arc_swap::ArcSwap;
use event_listener::{Event, EventListener};
use futures_util::future::{Either, select};
use redis_authx::reauth::{ReauthError, ReauthErrorKind, Session};
use redis_authx::{Runtime, Token, async_trait};

use super::super::error;
use super::super::outcome::Replies;
#[cfg(feature = "sentinel")]
use super::super::sentinel::Address;
use super::connector::Connector;
use super::handover::Handover;
use super::leave::leave;
use super::link::Link;
#[cfg(feature = "sentinel")]
use super::server::Server;
use crate::gate::Gate;
use crate::outcome::Outcome;

/// An `AUTH` is cut off by the re-authenticator, not by redis-rs's time limit
/// for ordinary commands.
const NO_LIMIT: Duration = Duration::from_secs(3600);

/// How long an `AUTH` waits for a transaction to end before it says so.
const PATIENCE: Duration = Duration::from_secs(1);

/// The same for a command that blocks, which may take hours: long enough to get
/// between two of a consumer that is kept busy. What comes in the meantime
/// would have had to wait for that command anyway.
const BRIEFLY: Duration = Duration::from_millis(100);

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(crate) struct Slot {
    connector: Connector,
    runtime: Arc<dyn Runtime>,
    link: ArcSwap<Link>,
    replaced: Event,
}

impl Slot {
    pub(crate) fn new(
        connector: Connector,
        runtime: Arc<dyn Runtime>,
        connection: MultiplexedConnection,
    ) -> Self {
        Self {
            connector,
            runtime,
            link: ArcSwap::from_pointee(Link::new(connection, Gate::default())),
            replaced: Event::new(),
        }
    }

    pub(crate) fn link(&self) -> Arc<Link> {
        self.link.load_full()
    }

    pub(crate) fn holds(&self, link: &Arc<Link>) -> bool {
        Arc::ptr_eq(&self.link.load(), link)
    }

    /// Told of every replacement from now on.
    pub(crate) fn listen(&self) -> EventListener {
        self.replaced.listen()
    }

    pub(crate) fn db(&self) -> i64 {
        self.connector.server.db()
    }

    /// How a request on its link ended.
    pub(crate) fn outcome(&self, result: &RedisResult<impl Replies>) -> Outcome {
        self.connector.server.outcome(result)
    }

    /// Whether its server, which sentinels have named, has this address.
    #[cfg(feature = "sentinel")]
    pub(crate) fn is_at(&self, address: &Address) -> bool {
        match &self.connector.server {
            Server::Watched(lookup) => lookup.is_at(address),
            _ => true,
        }
    }

    /// Whether a loss is for the re-authenticator to hear of.
    pub(crate) const fn is_ours_to_replace(&self) -> bool {
        !self.connector.server.is_cared_for()
    }
}

#[async_trait]
impl Session for Slot {
    fn is_connected(&self) -> bool {
        !self.link.load().is_lost()
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        let link = self.link();
        if link.is_lost() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        let now = self.runtime.now();
        let patience = if link.gate.is_blocked(now) {
            BRIEFLY
        } else {
            PATIENCE
        };
        let patience = self.runtime.sleep_until(now + patience);
        let Either::Left((_passage, _)) = select(pin!(link.gate.pass()), patience).await else {
            link.gate.defer();
            return Err(ReauthErrorKind::Busy.into());
        };
        let mut connection = link.connection();
        connection.set_response_timeout(NO_LIMIT);
        let mut auth = redis::cmd("AUTH");
        auth.arg(token.username()).arg(token.password());
        auth.query_async::<()>(&mut connection)
            .await
            .map_err(|error| {
                if error::is_lost(&error) {
                    // Told to the re-authenticator by this very error.
                    link.lose();
                }
                error::reauth(error)
            })
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let connection = self.connector.connect(token).await.map_err(error::reauth)?;
        let old = self.link();
        let new = connection.clone();
        let now = self.runtime.now();
        let mut shut = None;
        old.gate.retire(now, |gate| {
            shut = gate.shut();
            self.link.store(Arc::new(Link::new(connection, gate)));
        });
        self.replaced.notify(usize::MAX);
        if old.is_lost() {
            return Ok(());
        }
        let left = leave(Arc::downgrade(&old), Arc::clone(&self.runtime));
        let handover = old.gate.is_blocked(now).then(|| Handover {
            old,
            new,
            _shut: shut,
            runtime: Arc::clone(&self.runtime),
        });
        self.runtime.spawn(Box::pin(async move {
            if let Some(handover) = handover {
                handover.run().await;
            }
            left.await;
        }));
        Ok(())
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
