//! How the connection of a subscriber is re-authenticated and handed over.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::redis::{ConnectionInfo, ProtocolVersion, RedisError, RedisResult, cmd};
use async_lock::Mutex;
use futures_util::future::{Either, FutureExt, select};
use redis_authx::handover::{Link as _, Place, Subscriptions, Succession};
use redis_authx::reauth::{ReauthError, ReauthErrorKind, Session};
use redis_authx::{Runtime, Token, async_trait};

use super::super::error;
use super::feed::Feed;
use super::link::{Link, publish};

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(super) struct Subscriber {
    info: ConnectionInfo,
    resp3: AtomicBool,
    pub(super) succession: Succession<Link, Feed>,
    /// Locked while a handover or a change of them is under way: neither gets
    /// into the other.
    pub(super) subscriptions: Mutex<Subscriptions>,
}

impl Subscriber {
    pub(super) fn new(info: ConnectionInfo, succession: Succession<Link, Feed>) -> Self {
        let resp3 = info.redis_settings().protocol().supports_resp3();
        Self {
            info,
            resp3: AtomicBool::new(resp3),
            succession,
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
        self.succession
            .hand_over(link, feed, subscriptions, publish)
            .await
    }

    pub(super) fn place(&self) -> &Place<Link> {
        self.succession.place()
    }
}

#[async_trait]
impl Session for Subscriber {
    fn is_connected(&self) -> bool {
        !self.place().link().health().is_lost()
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        let link = self.place().link();
        if link.health().is_lost() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        let Some(mut connection) = link.connection() else {
            return Err(ReauthErrorKind::Unsupported.into());
        };
        let mut auth = cmd("AUTH");
        auth.arg(token.username()).arg(token.password());
        auth.query_async::<()>(&mut connection)
            .await
            .map_err(|error| {
                if error::is_lost(&error) {
                    // Told to the re-authenticator by this very error.
                    link.health().lose();
                }
                error::reauth(error)
            })
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
