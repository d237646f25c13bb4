//! Between redis-rs's errors and ours.

use std::error::Error;
use std::iter::successors;

use super::redis::{ErrorKind, RedisError, ServerErrorKind};
#[cfg(any(feature = "pubsub", feature = "sentinel"))]
use redis_authx::ConfigError;
use redis_authx::{ReauthError, ReauthErrorKind, TokenError};

/// What an error of an `AUTH` or of a log-in means for what is tried next.
pub(crate) fn kind(error: &RedisError) -> ReauthErrorKind {
    // In RESP2 redis-rs words a refused log-in itself, in RESP3 it passes the
    // server's code on.
    if error.kind() == ErrorKind::AuthenticationFailed || error.code() == Some("WRONGPASS") {
        ReauthErrorKind::Refused
    } else if error.is_timeout() {
        ReauthErrorKind::Timeout
    } else if error.is_io_error() || is_lost(error) {
        ReauthErrorKind::Disconnected
    } else {
        ReauthErrorKind::Other
    }
}

pub(crate) fn reauth(error: RedisError) -> ReauthError {
    ReauthError::new(kind(&error)).with_source(error)
}

/// The code of the server's answer to whoever is not logged in.
pub(crate) const LOGGED_OUT: &str = "NOAUTH";

/// Whether the connection that a command failed on with `error` is of no more
/// use: gone, out of step, or no longer logged in.
pub(crate) fn is_lost(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || is_logged_out(error)
}

/// Whether it is for want of a log-in that a command was not executed.
pub(crate) fn is_logged_out(error: &RedisError) -> bool {
    server_codes(error).iter().any(|code| code == LOGGED_OUT)
}

/// The codes of what a server answered: of an atomic pipeline, several.
pub(crate) fn server_codes(error: &RedisError) -> Vec<String> {
    let errors = error.clone().into_server_errors();
    let errors = errors.as_deref().unwrap_or_default();
    errors
        .iter()
        .map(|(_, error)| error.code().to_owned())
        .collect()
}

/// There is no token to log in with, and why.
pub(crate) fn no_token(error: TokenError) -> RedisError {
    RedisError::from((
        ErrorKind::AuthenticationFailed,
        "not logged in to Redis",
        chain(&error),
    ))
}

/// The same for redis-rs's hook. An I/O error, because a `ConnectionManager`
/// reconnects after no other kind.
pub(crate) fn unavailable(error: &TokenError) -> RedisError {
    std::io::Error::new(std::io::ErrorKind::NotConnected, chain(error)).into()
}

/// The client's runtime can't run a task.
#[cfg(any(feature = "pubsub", feature = "sentinel"))]
pub(crate) fn not_spawned(error: ConfigError) -> RedisError {
    RedisError::from((
        ErrorKind::InvalidClientConfig,
        "no task can be started",
        error.to_string(),
    ))
}

/// The connection is lost and not yet replaced.
pub(crate) fn not_connected(latest: Option<&ReauthError>) -> RedisError {
    let why = latest.map_or_else(
        || "the connection was lost and is being replaced".to_owned(),
        |error| {
            format!(
                "the connection was lost and could not yet be replaced: {}",
                chain(error)
            )
        },
    );
    std::io::Error::new(std::io::ErrorKind::NotConnected, why).into()
}

/// A reply came that may be to another request. As if the connection had gone
/// before it: nobody knows whether the command was executed.
pub(crate) fn out_of_step() -> RedisError {
    let why = "the connection's replies no longer belong to its requests: it is closed and \
               replaced, and whether this command was executed is not known";
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, why).into()
}

/// A raw transaction went with its connection. As if the connection had: who
/// opens another then is right as well.
pub(crate) fn transaction_lost() -> RedisError {
    let why = "the connection was replaced inside a MULTI: nothing more of that transaction is \
               sent until EXEC, DISCARD or another MULTI";
    std::io::Error::new(std::io::ErrorKind::NotConnected, why).into()
}

/// Watched keys may have changed, and the reply has no place to say so.
pub(crate) fn watch_lost() -> RedisError {
    RedisError::from((
        ServerErrorKind::ExecAbort.into(),
        "the connection was replaced after WATCH",
        "the watched keys may have changed; nothing was sent".to_owned(),
    ))
}

/// The server did not execute a command because the connection is no longer
/// logged in: for redis-rs it is as good as gone.
#[cfg(feature = "cluster")]
pub(crate) fn logged_out() -> RedisError {
    let text = "the server no longer takes the connection for logged in (NOAUTH)";
    std::io::Error::new(std::io::ErrorKind::NotConnected, text).into()
}

/// An error and all that stands behind it, in one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut lines: Vec<String> = successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    // redis-rs's errors repeat their source.
    lines.dedup();
    lines.join(": ")
}
