use std::error::Error;
use std::fmt;

use super::ProviderError;

/// Why there is no token to hand out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// A token is being requested: the first, or the next one where the last
    /// has just expired and no request has failed since it came.
    Pending,
    /// The manager was stopped or its driver dropped: no token will come.
    Stopped,
    /// The last token has expired, or none ever came, and the latest request
    /// failed. The manager goes on trying, unless it was told to
    /// [stop](crate::OnExhausted::Stop) when its retries are used up.
    Unavailable(ProviderError),
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "a token has been requested and has not arrived yet",
            Self::Stopped => "the token manager has stopped",
            Self::Unavailable(_) => "no valid token is held",
        })
    }
}

impl Error for TokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Pending | Self::Stopped => None,
            Self::Unavailable(error) => Some(error),
        }
    }
}
