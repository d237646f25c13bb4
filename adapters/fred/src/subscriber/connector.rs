//! How a subscriber's connections are opened and logged in.

use std::sync::Arc;

use redis_authx::{Clock as _, ReauthError, ReauthErrorKind, Runtime, Token, async_trait};
use redis_authx_session::SubscriberConnector;
use redis_authx_session::handover::Marker;

use super::feed::Feed;
use super::link::{Failure, Link, publish};
use super::messages::Messages;
use crate::dial::Dial;
use crate::error;
use crate::showing::Showing;

/// Holds no [`Renewal`](crate::Renewal), which would keep the re-authenticator alive.
pub(super) struct FredConnector {
    pub(super) dial: Dial,
    pub(super) runtime: Arc<dyn Runtime>,
    pub(super) showing: Arc<Showing>,
    pub(super) messages: Arc<Messages>,
}

#[async_trait]
impl SubscriberConnector for FredConnector {
    type Link = Link;
    type Feed = Feed;

    async fn open(&self, token: &Token) -> Result<(Link, Feed), Failure> {
        let runtime = Arc::clone(&self.runtime);
        let opened = Link::open(&self.dial, token, runtime, &self.messages).await;
        let opened = opened.map_err(Failure::Lost)?;
        self.showing.taken(token.generation(), self.runtime.now());
        Ok(opened)
    }

    async fn publish(&self, marker: &Marker, link: &Link, token: &Token) -> Result<(), Failure> {
        publish(marker, link, &self.dial, token).await
    }

    async fn check_token(&self, link: &Link, token: &Token) -> Result<(), ReauthError> {
        let server = link.server().ok_or(ReauthErrorKind::Disconnected)?;
        let dial = self.dial.clone().only_to(&server);
        self.showing.show(token, dial, &self.runtime).await
    }

    async fn authenticate(&self, link: &Link, token: &Token) -> Result<(), ReauthError> {
        let result = link.auth(token).await;
        match result.as_ref().map_err(ReauthError::kind) {
            Ok(()) => self.showing.taken(token.generation(), self.runtime.now()),
            Err(ReauthErrorKind::OutOfStep | ReauthErrorKind::Refused) => {
                self.showing.refused(token.generation());
            }
            Err(_) => {}
        }
        result
    }

    fn reauth_error(error: Failure) -> ReauthError {
        error::reauth(error.into_error())
    }
}
