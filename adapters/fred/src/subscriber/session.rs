//! How the connection of a subscriber is re-authenticated and handed over.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fred::error::Error;
use futures_util::FutureExt;
use redis_authx::handover::{Kind, Link as _, Place, Subscriptions, Succession};
use redis_authx::reauth::{Asking, ReauthError, ReauthErrorKind, Session};
use redis_authx::{Runtime, Token, async_trait};

use super::feed::Feed;
use super::link::{Failure, Link, publish};
use super::messages::Messages;
use crate::dial::Dial;
use crate::error;

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(super) struct Subscriber {
    pub(super) dial: Dial,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) asking: Arc<Asking>,
    pub(super) messages: Arc<Messages>,
    pub(super) succession: Succession<Link, Feed>,
    /// Held while a handover or a change of the subscriptions is under way, or an
    /// `AUTH`: none gets into another.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) subscriptions: Mutex<Subscriptions>,
}

impl Subscriber {
    pub(super) fn place(&self) -> &Place<Link> {
        self.succession.place()
    }

    pub(super) fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        let subscriptions = self.subscriptions.lock();
        subscriptions.unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add(&self, kind: Kind, names: &[Vec<u8>]) -> Vec<Vec<u8>> {
        self.subscriptions().add(kind, names)
    }

    pub(super) fn remove(&self, kind: Kind, names: &[Vec<u8>]) -> Vec<Vec<u8>> {
        self.subscriptions().remove(kind, names)
    }

    /// Puts another connection that logs in with `token` in the place of the
    /// one there is.
    async fn renew(&self, token: &Token) -> Result<(), Error> {
        let runtime = Arc::clone(&self.runtime);
        let (link, feed) = Link::open(&self.dial, token, runtime, &self.messages).await?;
        self.asking.taken(token.generation());
        let publish = |link: Arc<Link>, marker| {
            async move { publish(&marker, &link, &self.dial, token).await }.boxed()
        };
        let subscriptions = self.subscriptions().clone();
        self.succession
            .hand_over(link, feed, &subscriptions, publish)
            .await
            .map_err(Failure::into_error)
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
        if !link.takes_commands() {
            return Err(ReauthErrorKind::Unsupported.into());
        }
        let _turn = self.turn.lock().await;
        link.auth(token).await?;
        self.asking.taken(token.generation());
        Ok(())
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let _turn = self.turn.lock().await;
        self.renew(token).await.map_err(error::reauth)
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
