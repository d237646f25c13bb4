use std::error::Error;
use std::fmt;

use super::{ProviderError, write_error};

/// Why there is no token to hand out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenError {
    /// A token is being requested: the first, or the next one where the last
    /// has just expired.
    #[non_exhaustive]
    Pending {
        /// The latest failure since a request last succeeded.
        last_error: Option<ProviderError>,
    },
    /// The manager was stopped or its driver dropped. There will be no token.
    Stopped,
    /// The last token has expired, or none ever came, and a cycle of requests
    /// has failed. The manager makes further attempts, unless it was configured to
    /// [stop](crate::OnExhausted::WaitForRefresh) when its retries are used up.
    Unavailable(ProviderError),
}

impl TokenError {
    pub(crate) const fn pending(last_error: Option<ProviderError>) -> Self {
        Self::Pending { last_error }
    }

    /// The latest failed request, if one has failed.
    #[must_use]
    pub const fn provider_error(&self) -> Option<&ProviderError> {
        match self {
            Self::Pending { last_error } => last_error.as_ref(),
            Self::Stopped => None,
            Self::Unavailable(error) => Some(error),
        }
    }

    /// Whether a later call may succeed without a person's help.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stopped => false,
            Self::Pending { .. } | Self::Unavailable(_) => self
                .provider_error()
                .is_none_or(ProviderError::is_transient),
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::Pending { .. } => "a token has been requested and has not arrived yet",
            Self::Stopped => "the token manager has stopped",
            Self::Unavailable(_) => "no valid token is held",
        };
        write_error(f, self, text)
    }
}

impl Error for TokenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.provider_error().map(|error| error as _)
    }
}
