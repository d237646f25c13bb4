#[cfg(feature = "cluster")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[cfg(feature = "cluster")]
use super::redis;
use super::redis::{Client, Connection, ConnectionInfo, RedisResult};
use redis_authx::{Credentials, ReauthErrorKind, Token};

use super::super::log_in::another_token;
use super::super::{error, target};
use crate::block_on::block_on;

/// Opens sync connections to one server that log in with the token they are
/// given.
pub(crate) struct Connector {
    info: ConnectionInfo,
    /// Of one attempt, the log-in included.
    limit: Option<Duration>,
    /// Whether it reads from a replica of a cluster.
    #[cfg(feature = "cluster")]
    read_only: AtomicBool,
}

impl Connector {
    pub(crate) const fn new(info: ConnectionInfo, limit: Option<Duration>) -> Self {
        Self {
            info,
            limit,
            #[cfg(feature = "cluster")]
            read_only: AtomicBool::new(false),
        }
    }

    /// Has every connection from now on read from a replica.
    #[cfg(feature = "cluster")]
    pub(crate) fn read_from_replica(&self) {
        self.read_only.store(true, Ordering::Release);
    }

    pub(crate) fn db(&self) -> i64 {
        self.info.redis_settings().db()
    }

    pub(crate) fn connect(&self, token: &Token) -> RedisResult<Connection> {
        let info = target::with_credentials(&self.info, token);
        let client = Client::open(info)?;
        let connection = match self.limit {
            Some(limit) => client.get_connection_with_timeout(limit),
            None => client.get_connection(),
        };
        #[cfg(feature = "cluster")]
        if self.read_only.load(Ordering::Acquire) {
            let mut connection = connection?;
            redis::cmd("READONLY").exec(&mut connection)?;
            return Ok(connection);
        }
        connection
    }

    /// Opens a connection with the token in hand, or the first to come; and
    /// once more with a fresh one when the server refuses that. Without time
    /// to wait for one, it does not ask for it either.
    ///
    /// Not by the async one: its time limits are the runtime's, and tokio's
    /// panic on a thread that is none of its own.
    pub(crate) fn log_in(
        &self,
        credentials: &Credentials,
        limit: Duration,
    ) -> RedisResult<(Connection, Token)> {
        let token = credentials.get_blocking(limit).map_err(error::no_token)?;
        let refused = match self.connect(&token) {
            Ok(connection) => return Ok((connection, token)),
            Err(error) if error::kind(&error) == ReauthErrorKind::Refused && !limit.is_zero() => {
                error
            }
            Err(error) => return Err(error),
        };
        let fresh = another_token(credentials.clone(), token.generation());
        match block_on(limit, fresh).flatten() {
            Some(token) => Ok((self.connect(&token)?, token)),
            None => Err(refused),
        }
    }
}
