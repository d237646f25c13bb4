use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use redis_authx::{ConfigError, ProviderError};

/// Why a person's sign-in came to nothing.
///
/// Holds no code, token or answer of the service.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignInError {
    /// The person pressed Cancel, or declined to consent.
    Cancelled,
    /// A setting can't work.
    Config(ConfigError),
    /// The redirect is no answer to this sign-in: it is another's, it is
    /// forged, or the person went on with an old page. One with two states, or
    /// too long for a redirect, is none either. It was not acted upon.
    ForeignState,
    /// The redirect can't be listened for: the port is taken, most often.
    Listener(Arc<io::Error>),
    /// The redirect has the right `state`, but not what a redirect must have.
    Malformed(&'static str),
    /// The id token that came with the access token is missing, unreadable, or
    /// was issued for another sign-in. The tokens were thrown away.
    ForeignNonce,
    /// The operating system gave no random numbers.
    NoRandomness,
    /// The identity service refused the sign-in, could not be asked, or sent
    /// what can't be used.
    Provider(ProviderError),
    /// Nobody signed in in time.
    TimedOut,
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "the sign-in was cancelled by the person it was for",
            Self::Config(_) => "the sign-in can't begin",
            Self::ForeignState => {
                "the redirect does not belong to this sign-in: its `state` is missing or another \
                 one; begin again, and if it happens again, someone else sends these redirects"
            }
            Self::Listener(_) => "the redirect can't be listened for on this machine",
            Self::Malformed(what) => return write!(f, "the redirect can't be used: {what}"),
            Self::ForeignNonce => {
                "the id token is not of this sign-in: its `nonce` is missing or another one; \
                 begin again"
            }
            Self::NoRandomness => "the operating system has no random numbers to give",
            Self::Provider(_) => "the identity service gave no token for the sign-in",
            Self::TimedOut => "nobody signed in within the time limit",
        })
    }
}

impl Error for SignInError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::Listener(error) => Some(error.as_ref()),
            Self::Provider(error) => Some(error),
            Self::Cancelled
            | Self::ForeignNonce
            | Self::ForeignState
            | Self::Malformed(_)
            | Self::NoRandomness
            | Self::TimedOut => None,
        }
    }
}

impl From<ConfigError> for SignInError {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<ProviderError> for SignInError {
    fn from(error: ProviderError) -> Self {
        Self::Provider(error)
    }
}
