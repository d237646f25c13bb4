//! How the connection of a subscriber is re-authenticated and handed over.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fred::error::Error;
use futures_util::FutureExt;
use redis_authx::{Clock as _, ReauthError, ReauthErrorKind, Runtime, Token, async_trait};
use redis_authx_session::Session;
use redis_authx_session::handover::{
    ActiveLink, HandoverController, Kind, Link as _, Subscriptions,
};

use super::feed::Feed;
use super::link::{Failure, Link, publish};
use super::messages::Messages;
use crate::dial::Dial;
use crate::error;
use crate::showing::Showing;

/// All that the re-authenticator may keep alive for a while: nothing in it
/// keeps the re-authenticator alive, or the connection registered.
pub(super) struct Subscriber {
    pub(super) dial: Dial,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) showing: Arc<Showing>,
    pub(super) messages: Arc<Messages>,
    pub(super) controller: HandoverController<Link, Feed>,
    /// Held while a handover or a change of the subscriptions is under way, or an
    /// `AUTH`: none gets into another.
    pub(super) turn: tokio::sync::Mutex<()>,
    pub(super) subscriptions: Mutex<Subscriptions>,
}

impl Subscriber {
    pub(super) fn active_link(&self) -> &ActiveLink<Link> {
        self.controller.active_link()
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

    /// Sends `AUTH` on a connection.
    async fn auth(&self, link: &Link, token: &Token) -> Result<(), ReauthError> {
        let result = link.auth(token).await;
        match result.as_ref().map_err(ReauthError::kind) {
            Ok(()) => self.showing.taken(token.generation(), self.runtime.now()),
            Err(ReauthErrorKind::OutOfStep) => {
                self.showing.refused(token.generation());
                // It will owe a reply for ever: whatever waits for one is told.
                link.health().mark_lost();
            }
            Err(ReauthErrorKind::Refused) => self.showing.refused(token.generation()),
            Err(_) => {}
        }
        result
    }

    /// Puts another connection, which has logged in with `token`, in the place of
    /// the one there is.
    async fn hand_over(&self, token: &Token, link: Link, feed: Feed) -> Result<(), Error> {
        self.showing.taken(token.generation(), self.runtime.now());
        let publish = |link: Arc<Link>, marker| {
            async move { publish(&marker, &link, &self.dial, token).await }.boxed()
        };
        let subscriptions = self.subscriptions().clone();
        self.controller
            .hand_over(link, feed, &subscriptions, publish)
            .await
            .map_err(Failure::into_error)
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
        if !link.takes_commands() {
            return Err(ReauthErrorKind::Unsupported.into());
        }
        // Messages are pending replies as well, for the server: an `AUTH` that
        // is refused between two may get no answer.
        let server = link.server().ok_or(ReauthErrorKind::Disconnected)?;
        let dial = self.dial.clone().only_to(&server);
        self.showing.show(token, dial, &self.runtime).await?;
        let _turn = self.turn.lock().await;
        self.auth(&link, token).await
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let _turn = self.turn.lock().await;
        let runtime = Arc::clone(&self.runtime);
        let opened = Link::open(&self.dial, token, runtime, &self.messages).await;
        match opened.map_err(error::reauth) {
            Ok((link, feed)) => {
                let handed_over = self.hand_over(token, link, feed).await;
                handed_over.map_err(error::reauth)
            }
            // As at the server's `maxclients`: without the token the old one ends
            // for certain.
            Err(error) if error.kind() != ReauthErrorKind::Refused => {
                let link = self.active_link().current();
                if link.health().is_lost() || !link.takes_commands() {
                    return Err(error);
                }
                self.auth(&link, token).await
            }
            Err(error) => Err(error),
        }
    }
}

impl fmt::Debug for Subscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("is_connected", &self.is_connected())
            .finish_non_exhaustive()
    }
}
