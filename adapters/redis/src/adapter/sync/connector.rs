use std::sync::Arc;
use std::time::Duration;

use super::redis::{Client, Connection, ConnectionInfo, RedisResult};
use futures::FutureExt;
use redis_authx::{Credentials, Runtime, Token};

use super::super::log_in::log_in;
use super::super::target;
use futures_lite::future::block_on;

/// Opens sync connections to one server that log in with the token they are
/// given.
pub(crate) struct Connector {
    info: ConnectionInfo,
    /// Of one attempt, the log-in included.
    limit: Duration,
}

impl Connector {
    pub(crate) const fn new(info: ConnectionInfo, limit: Duration) -> Self {
        Self { info, limit }
    }

    pub(crate) fn db(&self) -> i64 {
        self.info.redis_settings().db()
    }

    pub(crate) fn connect(&self, token: &Token) -> RedisResult<Connection> {
        let info = target::with_credentials(&self.info, token);
        Client::open(info)?.get_connection_with_timeout(self.limit)
    }

    /// Opens a connection with the token in hand, or the first to come; and
    /// once more with a fresh one when the server refuses that.
    pub(crate) fn log_in(
        &self,
        credentials: &Credentials,
        runtime: &Arc<dyn Runtime>,
        limit: Duration,
    ) -> RedisResult<(Connection, Token)> {
        let connect = |token: Token| async move { self.connect(&token) }.boxed();
        block_on(log_in(credentials, runtime, limit, connect))
    }
}
