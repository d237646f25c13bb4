//! Between fred's errors and ours.

use fred::error::{Error, ErrorKind};
use redis_authx::{ConfigError, ReauthError, ReauthErrorKind, TokenError};

/// What an error of an `AUTH` or of a log-in means for what is tried next.
fn kind(error: &Error) -> ReauthErrorKind {
    match error.kind() {
        ErrorKind::Auth => ReauthErrorKind::Refused,
        ErrorKind::Timeout => ReauthErrorKind::Timeout,
        ErrorKind::IO | ErrorKind::Canceled | ErrorKind::Routing => ReauthErrorKind::Disconnected,
        // A log-in through a sentinel keeps the server's words only.
        _ if is_refusal(error) => ReauthErrorKind::Refused,
        // As Redis words it for a connection that subscribes over RESP2.
        _ if error.details().starts_with("ERR Can't execute 'auth'") => {
            ReauthErrorKind::Unsupported
        }
        _ => ReauthErrorKind::Other,
    }
}

/// Whether a server has refused a token, rather than that there was none.
pub(crate) fn is_refusal(error: &Error) -> bool {
    error.details().starts_with("WRONGPASS")
}

/// Whether a server has refused a command, for want of a right to it.
pub(crate) fn is_denial(error: &Error) -> bool {
    error.details().starts_with("NOPERM")
}

pub(crate) fn reauth(error: Error) -> ReauthError {
    ReauthError::new(kind(&error)).with_source(error)
}

/// There is no token to log in with, and why.
pub(crate) fn no_token(error: &TokenError) -> Error {
    let why = format!("not logged in to Redis: {error:#}");
    Error::new(ErrorKind::Auth, why)
}

/// The connection is lost and not yet replaced.
#[cfg(feature = "subscriber-client")]
pub(crate) fn not_connected(latest: Option<&ReauthError>) -> Error {
    let why = latest.map_or_else(
        || "the connection was lost and is being replaced".to_owned(),
        |error| format!("the connection was lost and could not yet be replaced: {error:#}"),
    );
    Error::new(ErrorKind::IO, why)
}

/// As fred's own builder says what is wrong with its settings.
pub(crate) fn config(error: &ConfigError) -> Error {
    Error::new(ErrorKind::Config, error.to_string())
}
