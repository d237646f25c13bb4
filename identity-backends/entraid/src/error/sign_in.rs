use std::io;
use std::sync::Arc;

use redis_authx::{ConfigError, ProviderError};

/// Why a person's sign-in came to nothing.
///
/// Holds no code, token or answer of the service.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignInError {
    /// The person pressed Cancel, or declined to consent.
    #[error("the sign-in was cancelled by the person it was for")]
    Cancelled,
    /// A setting can't work.
    #[error("the sign-in can't begin")]
    Config(#[from] ConfigError),
    /// The redirect is no answer to this sign-in: it is another's, it is
    /// forged, or the person went on with an old page. One with two states, or
    /// too long for a redirect, is none either. It was not acted upon.
    #[error(
        "the redirect does not belong to this sign-in: its `state` is missing or another one; \
         begin again, and if it happens again, someone else sends these redirects"
    )]
    ForeignState,
    /// The redirect can't be listened for: the port is taken, most often.
    #[error("the redirect can't be listened for on this machine")]
    Listener(#[source] Arc<io::Error>),
    /// The redirect has the right `state`, but not what a redirect must have.
    #[error("the redirect can't be used: {0}")]
    Malformed(&'static str),
    /// The id token that came with the access token is missing, unreadable, or
    /// was issued for another sign-in. The tokens were thrown away.
    #[error(
        "the id token is not of this sign-in: its `nonce` is missing or another one; begin again"
    )]
    ForeignNonce,
    /// The operating system gave no random numbers.
    #[error("the operating system has no random numbers to give")]
    NoRandomness,
    /// The identity service refused the sign-in, could not be asked, or sent
    /// what can't be used.
    #[error("the identity service gave no token for the sign-in")]
    Provider(#[from] ProviderError),
    /// Nobody signed in in time.
    #[error("nobody signed in within the time limit")]
    TimedOut,
}
