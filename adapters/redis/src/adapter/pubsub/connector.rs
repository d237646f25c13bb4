//! How a subscriber's connections are opened and logged in.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::redis::{ConnectionInfo, ProtocolVersion, RedisError, RedisResult};
use redis_authx::{ReauthError, ReauthErrorKind, Runtime, Token, async_trait};
use redis_authx_session::SubscriberConnector;
use redis_authx_session::handover::{Link as _, Marker};

use super::super::client::AuthClient;
use super::super::{auth, error};
use super::accepted::Accepted;
use super::feed::Feed;
use super::link::{Link, another, publish};

/// Holds no [`AuthClient`], which would keep the re-authenticator alive.
pub(super) struct PubSubConnector {
    info: Arc<ConnectionInfo>,
    runtime: Arc<dyn Runtime>,
    accepted: Arc<Accepted>,
    resp3: AtomicBool,
}

impl PubSubConnector {
    pub(super) fn new(client: &AuthClient) -> Self {
        let inner = &client.0;
        let protocol = inner.info.redis_settings().protocol();
        Self {
            info: Arc::clone(&inner.info),
            runtime: Arc::clone(inner.reauth.runtime()),
            accepted: Arc::clone(&inner.accepted),
            resp3: AtomicBool::new(protocol.supports_resp3()),
        }
    }
}

#[async_trait]
impl SubscriberConnector for PubSubConnector {
    type Link = Link;
    type Feed = Feed;

    async fn open(&self, token: &Token) -> RedisResult<(Link, Feed)> {
        let protocol = if self.resp3.load(Ordering::Acquire) {
            ProtocolVersion::RESP3
        } else {
            self.info.redis_settings().protocol()
        };
        Link::open(&self.info, protocol, token).await
    }

    async fn publish(&self, marker: &Marker, link: &Link, token: &Token) -> RedisResult<()> {
        publish(marker, link, &self.info, token).await
    }

    async fn check_token(&self, _: &Link, token: &Token) -> Result<(), ReauthError> {
        let log_in = another(&self.info, token);
        let accepted = self.accepted.check(token, log_in).await;
        accepted.map_err(error::reauth)
    }

    async fn authenticate(&self, link: &Link, token: &Token) -> Result<(), ReauthError> {
        let connection = link.connection().ok_or(ReauthErrorKind::Unsupported)?;
        auth::settle(connection.clone()).await?;
        let give_up = || {
            link.health().mark_lost();
        };
        auth::authenticate(connection, token, &self.runtime, give_up).await
    }

    fn upgrade(&self) {
        self.resp3.store(true, Ordering::Release);
    }

    fn reauth_error(error: RedisError) -> ReauthError {
        error::reauth(error)
    }
}
