//! Our connections in the pools that applications have.

use super::redis;

#[cfg(any(feature = "bb8", feature = "deadpool"))]
mod check;
#[cfg(any(feature = "bb8", feature = "deadpool"))]
mod manager;

#[cfg(feature = "bb8")]
mod bb8;
#[cfg(feature = "deadpool")]
mod deadpool;
#[cfg(feature = "r2d2")]
mod r2d2;

use super::client::AuthClient;
#[cfg(any(feature = "bb8", feature = "deadpool"))]
use super::connection::AuthConnection;
#[cfg(feature = "r2d2")]
use super::sync::AuthSyncConnection;
#[cfg(any(feature = "bb8", feature = "deadpool"))]
pub use manager::PoolManager;

/// A server that does not let this user `PING` or `UNWATCH` is there as well,
/// and the user logged in: an access policy need not include them.
const NOT_PERMITTED: &str = "NOPERM";

/// Whether a connection is fit for its next user, by the replies to `UNWATCH`
/// and `PING`: there, logged in, not subscribed, and in nobody's transaction,
/// where the answer would be that it is queued.
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
fn is_fit(replies: &[redis::Value]) -> redis::RedisResult<()> {
    use redis::{ErrorKind, Value};

    match replies.last() {
        Some(Value::SimpleString(pong)) if pong == "PONG" => Ok(()),
        Some(Value::ServerError(error)) if error.code() == NOT_PERMITTED => Ok(()),
        Some(Value::ServerError(error)) => Err(error.clone().into()),
        _ => Err((
            ErrorKind::UnexpectedReturnType,
            "the connection is in use: inside a transaction, or subscribed",
        )
            .into()),
    }
}
