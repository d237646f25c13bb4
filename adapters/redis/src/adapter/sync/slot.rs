//! Where the link of one connection is, and how it is re-authenticated.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::redis::{Connection, RedisResult};
use arc_swap::ArcSwap;
use blocking::unblock;
use event_listener::{Event, EventListener};
use futures_util::future::{Either, select};
use redis_authx::{Moment, ReauthError, ReauthErrorKind, Runtime, Token, async_trait};
use redis_authx_session::Session;

use super::super::error;
use super::connector::Connector;
use super::link::{Limits, Link, Terms};

/// How long an `AUTH` waits for a command or a transaction to end before it
/// says so.
const PATIENCE: Duration = Duration::from_secs(1);

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(crate) struct Slot {
    connector: Arc<Connector>,
    runtime: Arc<dyn Runtime>,
    /// How long an `AUTH` may take.
    auth_timeout: Duration,
    limits: Mutex<Limits>,
    link: ArcSwap<Link>,
    replaced: Event,
}

impl Slot {
    pub(crate) fn new(
        connector: Connector,
        runtime: Arc<dyn Runtime>,
        auth_timeout: Duration,
        connection: Connection,
        token: &Token,
    ) -> Self {
        let link = Link::new(connection, token, Moment::now(&*runtime));
        Self {
            connector: Arc::new(connector),
            runtime,
            auth_timeout,
            limits: Mutex::default(),
            link: ArcSwap::from_pointee(link),
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

    #[cfg(feature = "cluster")]
    pub(crate) fn read_from_replica(&self) {
        self.connector.read_from_replica();
    }

    pub(crate) fn db(&self) -> i64 {
        self.connector.db()
    }

    /// The application's own limits, which each replacement has as well.
    pub(crate) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn terms(&self) -> Terms {
        Terms {
            now: Moment::now(&*self.runtime),
            limit: self.auth_timeout,
            limits: *self.limits(),
        }
    }

    fn put(&self, connection: Connection, token: &Token) -> RedisResult<()> {
        // Held until it is in place: no change of the limits passes it by.
        let limits = self.limits();
        limits.apply(&connection)?;
        let link = Link::new(connection, token, Moment::now(&*self.runtime));
        self.link.store(Arc::new(link));
        drop(limits);
        self.replaced.notify(usize::MAX);
        Ok(())
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
        let patience = self.runtime.sleep_until(self.runtime.now() + PATIENCE);
        let Either::Left((mut live, _)) = select(pin!(link.lock()), patience).await else {
            link.defer();
            return Err(ReauthErrorKind::Busy.into());
        };
        if live.in_transaction {
            link.defer();
            return Err(ReauthErrorKind::Busy.into());
        }
        if live.has(token) {
            return Ok(());
        }
        let (token, terms) = (token.clone(), self.terms());
        // Goes on when this future is dropped, within its limit: nobody else
        // gets hold of the connection before it has ended.
        unblock(move || link.log_in(&mut live, &token, terms)).await
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let (connector, new) = (Arc::clone(&self.connector), token.clone());
        let connection = unblock(move || connector.connect(&new)).await;
        let put = connection.and_then(|connection| self.put(connection, token));
        put.map_err(error::reauth)
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
