//! Between redis-rs's errors and ours.

use std::error::Error;
use std::iter::successors;

use super::redis::{ErrorKind, RedisError};
use redis_authx::TokenError;
use redis_authx::reauth::{ReauthError, ReauthErrorKind};

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
    let logged_out = || {
        // Of an atomic pipeline it is one error among several.
        let errors = error.clone().into_server_errors();
        errors.is_some_and(|errors| errors.iter().any(|(_, error)| error.code() == LOGGED_OUT))
    };
    error.is_unrecoverable_error() || logged_out()
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

/// The command belongs to a transaction of a connection that was replaced.
pub(crate) fn torn() -> RedisError {
    let why = "the connection was replaced inside a transaction, of which nothing is executed; \
               EXEC or DISCARD ends it";
    std::io::Error::new(std::io::ErrorKind::ConnectionAborted, why).into()
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
