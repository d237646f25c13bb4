use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::redis::aio::MultiplexedConnection;
use super::redis::{AsyncConnectionConfig, RedisResult};
use futures::future::{Either, select};
use redis_authx::reauth::ReauthErrorKind;
use redis_authx::{Credentials, Runtime, Token, TokenError};

use super::super::error;
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
        let token = credentials.get(limit).await.map_err(error::no_token)?;
        let refused = match self.connect(&token).await {
            Ok(connection) => return Ok((connection, token)),
            Err(error) if error::kind(&error) == ReauthErrorKind::Refused && !limit.is_zero() => {
                error
            }
            Err(error) => return Err(error),
        };
        credentials.refresh();
        let fresh = pin!(next_token(credentials.clone(), token.generation()));
        let sleep = runtime.sleep_until(runtime.now() + limit);
        match select(fresh, sleep).await {
            Either::Left((Some(token), _)) => Ok((self.connect(&token).await?, token)),
            _ => Err(refused),
        }
    }
}

/// The next token newer than `generation`; `None` when the manager stops.
async fn next_token(mut credentials: Credentials, generation: u64) -> Option<Token> {
    loop {
        match credentials.changed().await {
            Ok(token) if token.generation() > generation => return Some(token),
            Err(TokenError::Stopped) => return None,
            _ => {}
        }
    }
}
