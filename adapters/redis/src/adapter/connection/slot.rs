//! Where the link of one connection is, and how it is re-authenticated.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::redis::RedisResult;
use super::redis::aio::MultiplexedConnection;
use arc_swap::ArcSwap;
use event_listener::{Event, EventListener};
use futures_util::future::{Either, select};
use redis_authx::{ReauthError, ReauthErrorKind, Runtime, Token, async_trait};
use redis_authx_session::Session;

use super::super::outcome::Replies;
#[cfg(feature = "sentinel")]
use super::super::sentinel::Address;
use super::super::{auth, error};
use super::connector::Connector;
use super::handover::Handover;
use super::leave::leave;
use super::link::Link;
#[cfg(feature = "sentinel")]
use super::server::Server;
use crate::gate::{Flag, Gate};
use crate::outcome::Outcome;

/// How long an `AUTH` waits for a transaction, or for commands in flight, to end
/// before it says so.
const PATIENCE: Duration = Duration::from_secs(1);

/// The same for a command that blocks, which may take hours: long enough to get
/// between two of a consumer that is kept busy. What comes in the meantime
/// would have had to wait for that command anyway.
const BRIEFLY: Duration = Duration::from_millis(100);

/// How long a task may take to take a reply that has come: on a busy machine, it
/// waits for its turn.
const TO_BE_TAKEN: Duration = Duration::from_millis(500);

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(crate) struct Slot {
    connector: Arc<Connector>,
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
            connector: Arc::new(connector),
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

    /// The replies on a link can't be trusted any more: it is closed. Returns
    /// whether that is news.
    pub(crate) fn fall_out_of_step(&self, link: &Arc<Link>) -> bool {
        let is_news = link.gate.lose(Flag::OutOfStep);
        if is_news {
            let left = leave(Arc::downgrade(link), Arc::clone(&self.runtime));
            // A runtime that can't run it has shut down, and its sockets with it.
            let _ = self.runtime.spawn(Box::pin(left));
        }
        is_news
    }

    /// Whether its server, which sentinels have named, has this address.
    #[cfg(feature = "sentinel")]
    pub(crate) fn is_at(&self, address: &Address) -> bool {
        match &self.connector.server {
            Server::Watched(lookup) => lookup.is_at(address),
            _ => true,
        }
    }

    /// Commands are still in flight: the server is slow, or a future that has its
    /// reply is not polled, which may take hours. Other commands are not held off
    /// for that; such a connection is replaced.
    async fn drained_late(
        &self,
        link: &Link,
        drained: impl Future<Output = ()> + Unpin,
    ) -> Result<(), ReauthError> {
        let asked = self.runtime.now();
        auth::settle(link.connection()).await?;
        let now = self.runtime.now();
        let trip = now.saturating_duration_since(asked);
        let later = self.runtime.sleep_until(now + trip.max(TO_BE_TAKEN));
        match select(drained, later).await {
            Either::Left(_) => Ok(()),
            Either::Right(_) => Err(ReauthErrorKind::Unsupported.into()),
        }
    }

    /// Whether a loss is for the re-authenticator to hear of.
    pub(crate) fn is_ours_to_replace(&self) -> bool {
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
        // Nothing that is part of a transaction is held off: none is open.
        let held_off = link.gate.in_flight.hold_off();
        let settled = pin!(async {
            let drained = pin!(held_off.drained());
            let soon = self.runtime.sleep_until(self.runtime.now() + BRIEFLY);
            if let Either::Right((_, drained)) = select(drained, soon).await {
                self.drained_late(&link, drained).await?;
            }
            auth::settle(link.connection()).await
        });
        let patience = self.runtime.sleep_until(self.runtime.now() + PATIENCE);
        let Either::Left((settled, _)) = select(settled, patience).await else {
            return Err(ReauthErrorKind::Busy.into());
        };
        let give_up = || {
            self.fall_out_of_step(&link);
        };
        let taken = match settled {
            Ok(()) => auth::authenticate(link.connection(), token, &self.runtime, give_up).await,
            Err(error) => Err(error),
        };
        // The re-authenticator hears of it by this very error.
        match taken.as_ref().map_err(ReauthError::kind) {
            Err(ReauthErrorKind::OutOfStep) => give_up(),
            Err(ReauthErrorKind::Disconnected) => {
                link.lose();
            }
            _ => {}
        }
        taken
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let connection = self.connector.connect(token).await.map_err(error::reauth)?;
        let old = self.link();
        let now = self.runtime.now();
        old.gate.retire(now, |gate| {
            self.link.store(Arc::new(Link::new(connection, gate)));
        });
        self.replaced.notify(usize::MAX);
        if old.is_lost() {
            return Ok(());
        }
        let left = leave(Arc::downgrade(&old), Arc::clone(&self.runtime));
        let handover = old.gate.is_blocked(now).then(|| Handover {
            old,
            connector: Arc::clone(&self.connector),
            token: token.clone(),
            runtime: Arc::clone(&self.runtime),
        });
        // Dropped if it can't run: the old connection closes with its last handle.
        let _ = self.runtime.spawn(Box::pin(async move {
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
