//! Errors, by who can mend them.
//!
//! | error | means | mended by |
//! |---|---|---|
//! | [`ConfigError`] | a setting is wrong | the caller, before anything starts |
//! | [`ProviderError`] | a token request failed | time, an operator or the vendor: see [`ErrorKind`] |
//! | [`TokenError`] | there is no token to hand out now | time, or nobody: the manager was stopped |
//! | [`ReauthError`](crate::reauth::ReauthError) | a live connection did not take a new token | time, or an operator |
//!
//! Each `Display` says one level; the rest is reached through
//! [`source`](std::error::Error::source). No error holds a token, a secret or
//! a response body.

mod config;
mod provider;
mod token;

pub use config::ConfigError;
pub use provider::{ErrorKind, ProviderError};
pub use token::TokenError;
