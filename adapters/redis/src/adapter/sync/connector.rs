use std::time::Duration;

use super::redis::{Client, Connection, ConnectionInfo, RedisResult};
use redis_authx::reauth::ReauthErrorKind;
use redis_authx::{Credentials, Token};

use super::super::log_in::next_token;
use super::super::{error, target};
use crate::block_on::block_on;

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
        limit: Duration,
    ) -> RedisResult<(Connection, Token)> {
        let token = credentials.get_blocking(limit).map_err(error::no_token)?;
        let refused = match self.connect(&token) {
            Ok(connection) => return Ok((connection, token)),
            Err(error) if error::kind(&error) == ReauthErrorKind::Refused => error,
            Err(error) => return Err(error),
        };
        credentials.refresh();
        let fresh = next_token(credentials.clone(), token.generation());
        match block_on(limit, fresh).flatten() {
            Some(token) => Ok((self.connect(&token)?, token)),
            None => Err(refused),
        }
    }
}
