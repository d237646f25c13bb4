//! Errors, grouped by who can fix them.
//!
//! | error | means | fixed by |
//! |---|---|---|
//! | [`ConfigError`] | a setting is wrong | the caller, before anything starts |
//! | [`ProviderError`] | a token request failed | time, an operator or the vendor: see [`ErrorKind`] |
//! | [`TokenError`] | there is no token to hand out now | time; no one once the manager has stopped |
//! | [`ReauthError`] | a live connection did not take a new token | time, or an operator |
//!
//! `{}` prints one level of an error; the rest is reached through
//! [`source`](std::error::Error::source). `{:#}` prints all of them. No error holds a token, a secret or
//! a response body.

mod config;
mod provider;
mod reauth;
mod token;

use std::error::Error;
use std::fmt;
use std::iter::successors;

pub use config::ConfigError;
pub use provider::{ErrorKind, ProviderError};
pub use reauth::{ReauthError, ReauthErrorKind};
pub use token::TokenError;

/// Prints one level of `error`, and with `{:#}` its sources as well.
pub(crate) fn write_error(
    f: &mut fmt::Formatter<'_>,
    error: &dyn Error,
    text: &str,
) -> fmt::Result {
    f.write_str(text)?;
    if f.alternate() {
        write_sources(f, error)?;
    }
    Ok(())
}

/// Prints the sources of `error`, each after a colon.
pub(crate) fn write_sources(f: &mut fmt::Formatter<'_>, error: &dyn Error) -> fmt::Result {
    successors(error.source(), |error| (*error).source())
        .try_for_each(|source| write!(f, ": {source}"))
}
