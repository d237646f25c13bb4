use std::sync::Arc;
use std::time::Duration;

use super::redis::aio::MultiplexedConnection;
use super::redis::{AsyncConnectionConfig, Client, ConnectionInfo, RedisResult};
use futures::FutureExt;
use redis_authx::{Credentials, Runtime, Token};

use super::super::log_in::log_in;

/// Opens connections to one server that log in with the token they are given.
pub(crate) struct Connector {
    info: ConnectionInfo,
    config: AsyncConnectionConfig,
}

impl Connector {
    pub(crate) const fn new(info: ConnectionInfo, config: AsyncConnectionConfig) -> Self {
        Self { info, config }
    }

    pub(crate) fn db(&self) -> i64 {
        self.info.redis_settings().db()
    }

    pub(crate) async fn connect(&self, token: &Token) -> RedisResult<MultiplexedConnection> {
        let settings = self.info.redis_settings().clone();
        let settings = settings
            .set_username(token.username())
            .set_password(token.password());
        Client::open(self.info.clone().set_redis_settings(settings))?
            .get_multiplexed_async_connection_with_config(&self.config)
            .await
    }

    /// Opens a connection with the token in hand, or the first to come; and
    /// once more with a fresh one when the server refuses that.
    pub(crate) async fn log_in(
        &self,
        credentials: &Credentials,
        runtime: &Arc<dyn Runtime>,
        limit: Duration,
    ) -> RedisResult<(MultiplexedConnection, Token)> {
        let connect = |token: Token| async move { self.connect(&token).await }.boxed();
        log_in(credentials, runtime, limit, connect).await
    }
}
