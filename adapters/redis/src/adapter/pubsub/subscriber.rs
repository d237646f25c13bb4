//! How the connection of a subscriber is re-authenticated and handed over.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::redis::{ConnectionInfo, ProtocolVersion, RedisError, RedisResult};
use async_lock::Mutex;
use futures_util::future::{Either, FutureExt, select};
use redis_authx::{ReauthError, ReauthErrorKind, Runtime, Token, async_trait};
use redis_authx_session::Session;
use redis_authx_session::handover::{ActiveLink, HandoverController, Link as _, Subscriptions};

use super::super::client::AuthClient;
use super::super::{auth, error};
use super::accepted::Accepted;
use super::feed::Feed;
use super::link::{Link, another, publish};

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(super) struct Subscriber {
    info: ConnectionInfo,
    runtime: Arc<dyn Runtime>,
    accepted: Arc<Accepted>,
    resp3: AtomicBool,
    pub(super) controller: HandoverController<Link, Feed>,
    /// Locked while a handover or a change of them is under way: neither gets
    /// into the other.
    pub(super) subscriptions: Mutex<Subscriptions>,
}

impl Subscriber {
    pub(super) fn new(client: &AuthClient, controller: HandoverController<Link, Feed>) -> Self {
        let inner = &client.0;
        let resp3 = inner.info.redis_settings().protocol().supports_resp3();
        Self {
            info: (*inner.info).clone(),
            runtime: Arc::clone(&inner.runtime),
            accepted: Arc::clone(&inner.accepted),
            resp3: AtomicBool::new(resp3),
            controller,
            subscriptions: Mutex::default(),
        }
    }

    /// Every connection from now on speaks RESP3.
    pub(super) fn need_resp3(&self) {
        self.resp3.store(true, Ordering::Release);
    }

    /// Puts another connection that logs in with `token` in the place of the
    /// one there is.
    pub(super) async fn renew(
        &self,
        token: &Token,
        subscriptions: &Subscriptions,
    ) -> RedisResult<()> {
        let protocol = if self.resp3.load(Ordering::Acquire) {
            ProtocolVersion::RESP3
        } else {
            self.info.redis_settings().protocol()
        };
        let (link, feed) = Link::open(&self.info, protocol, token).await?;
        let publish = |link: Arc<Link>, marker| {
            async move { publish(&marker, &link, &self.info, token).await }.boxed()
        };
        self.controller
            .hand_over(link, feed, subscriptions, publish)
            .await
    }

    pub(super) fn active_link(&self) -> &ActiveLink<Link> {
        self.controller.active_link()
    }
}

#[async_trait]
impl Session for Subscriber {
    fn is_connected(&self) -> bool {
        !self.active_link().current().health().is_lost()
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        let link = self.active_link().current();
        if link.health().is_lost() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        let Some(connection) = link.connection() else {
            return Err(ReauthErrorKind::Unsupported.into());
        };
        let log_in = another(&self.info, token);
        let accepted = self.accepted.check(token, log_in).await;
        accepted.map_err(|error| match error::reauth(error) {
            // That connection is gone, and not this one.
            gone if auth::is_loss(&gone) => {
                ReauthError::new(ReauthErrorKind::Other).with_source(gone)
            }
            error => error,
        })?;
        // Nothing else is sent on the connection meanwhile.
        let _subscriptions = self.subscriptions.lock().await;
        let give_up = || {
            link.health().mark_lost();
        };
        let taken = match auth::settle(connection.clone()).await {
            Ok(()) => auth::authenticate(connection, token, &self.runtime, give_up).await,
            Err(error) => Err(error),
        };
        if matches!(&taken, Err(error) if auth::is_loss(error)) {
            // The re-authenticator hears of it by this very error.
            give_up();
        }
        taken
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let subscriptions = self.subscriptions.lock().await;
        let renewed = self.renew(token, &subscriptions).await;
        renewed.map_err(error::reauth)
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}

pub(super) fn closed() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

/// What does not come in time is an error.
pub(super) async fn within<T>(
    runtime: &Arc<dyn Runtime>,
    limit: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    let sleep = runtime.sleep_until(runtime.now() + limit);
    match select(pin!(answer), sleep).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}
