use std::fmt;
use std::sync::Arc;

use super::redis;
use super::redis::aio::ConnectionLike;
use super::redis::{Cmd, Pipeline, RedisFuture, Value};
use redis_authx::ConnectionStatus;

mod blocked;
mod connector;
mod handover;
mod leave;
mod link;
mod plain;
mod request;
mod seat;
mod server;
mod shared;
mod slot;

use super::effect;
#[cfg(feature = "sync")]
pub(super) use blocked::with_word;
pub(super) use connector::Connector;
use request::Piece;
use seat::Seat;
pub(super) use server::Server;
#[cfg(feature = "sentinel")]
pub(super) use server::open;
pub(super) use shared::Shared;
pub(super) use slot::Slot;

/// A connection that stays logged in: used like redis-rs's own, with
/// [`redis::AsyncCommands`], [`redis::cmd`] and pipelines.
///
/// Clones share one socket; clone it freely, and keep it for as long as the
/// application lives. Made by [`AuthClient`](crate::AuthClient).
///
/// # Errors of commands
/// redis-rs's own, and while a lost connection has not been replaced:
///
/// | [`ErrorKind`](redis::ErrorKind) | why |
/// |---|---|
/// | `AuthenticationFailed` | there is no token to log in with; the text says why |
/// | `Io`, with [`is_connection_dropped`](redis::RedisError::is_connection_dropped) | there is one; the text has the latest failure of a replacement |
///
/// A command inside a raw `MULTI` whose connection was replaced fails with the
/// latter as well; see [Raw transactions](crate#raw-transactions).
///
/// # Commands that block
/// Best on a connection of their own: other commands wait behind them. Their reply
/// is waited for until 60 s after their own time-out, whatever redis-rs's
/// `response_timeout` is. The manual has a page on them.
///
/// # While a new token is taken
/// `AUTH` travels alone. A command that comes meanwhile is held back until the
/// replies to those before it, and the one to `AUTH`, have been read: for two round
/// trips; where the server stalls, for a second and the policy's
/// [`auth_timeout`](redis_authx::ReauthPolicyBuilder::auth_timeout) at most.
/// redis-rs's `response_timeout` begins after that.
///
/// # Cancel safety
/// Dropping a command's future is safe, and does not say whether the command
/// was executed. After a dropped `MULTI` or `EXEC` nobody knows whether a
/// transaction is open: the next rotation then may replace the connection
/// instead of sending `AUTH` on it.
#[derive(Clone)]
pub struct AuthConnection {
    pub(super) shared: Arc<Shared>,
    seat: Seat,
}

impl AuthConnection {
    pub(crate) fn new(shared: Shared) -> Self {
        Self {
            shared: Arc::new(shared),
            seat: Seat::default(),
        }
    }

    /// How it is doing: the token's generation, the latest failure, the time
    /// until the server would end the session.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.shared.registration.status()
    }

    /// A command that changes the state of its connection, or may block it: its
    /// clone keeps no handle on a connection that may be replaced meanwhile.
    #[inline(never)]
    fn send_with_care<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match effect::blocking(cmd) {
            None => Box::pin(self.shared.request(cmd)),
            Some(blocking) => {
                self.seat = Seat::default();
                Box::pin(self.shared.block(cmd, blocking))
            }
        }
    }

    /// A pipeline with such commands, or a transaction.
    #[inline(never)]
    fn send_piece_with_care<'a>(&'a mut self, piece: Piece<'a>) -> RedisFuture<'a, Vec<Value>> {
        let blocking = effect::blocking_in(piece.pipeline);
        if blocking.is_empty() {
            Box::pin(self.shared.request(piece))
        } else {
            self.seat = Seat::default();
            Box::pin(async move { self.shared.block_in(piece, &blocking).await })
        }
    }

    /// Whether it is there, as far as is known without asking the server.
    #[cfg(feature = "bb8")]
    pub(super) fn is_connected(&self) -> bool {
        self.shared.is_connected()
    }
}

impl ConnectionLike for AuthConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        if effect::is_plain(cmd) {
            return plain::send(self, cmd);
        }
        self.send_with_care(cmd)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        let piece = Piece {
            pipeline,
            offset,
            count,
        };
        if effect::is_plain_pipeline(pipeline) {
            return plain::send(self, piece);
        }
        self.send_piece_with_care(piece)
    }

    fn get_db(&self) -> i64 {
        self.shared.db()
    }
}

impl fmt::Debug for AuthConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared.fmt(f)
    }
}
