use std::sync::Arc;
use std::time::Duration;

use super::redis::aio::MultiplexedConnection;
use super::redis::{AsyncConnectionConfig, RedisResult};
use futures_util::FutureExt;
use redis_authx::{Credentials, Runtime, Token};

use super::super::log_in::log_in;
use super::server::Server;

/// Opens connections to one server that log in with the token they are given.
pub(crate) struct Connector {
    pub(crate) server: Server,
    config: AsyncConnectionConfig,
}

impl Connector {
    pub(crate) const fn new(server: Server, config: AsyncConnectionConfig) -> Self {
        Self { server, config }
    }

    pub(crate) async fn connect(&self, token: &Token) -> RedisResult<MultiplexedConnection> {
        self.server.connect(&self.config, token).await
    }

    /// Opens a connection with the token in hand, or the first to come; and
    /// once more with a fresh one when the server refuses that. Without time
    /// to wait for one, it does not ask for it either.
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
