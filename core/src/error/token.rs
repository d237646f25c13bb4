use super::ProviderError;

/// Why there is no token to hand out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The first token is still being requested.
    #[error("the first token has not arrived yet")]
    Pending,
    /// The manager was stopped or its driver dropped: no token will come.
    #[error("the token manager has stopped")]
    Stopped,
    /// The last token has expired, or none ever came, and the latest request
    /// failed. The manager goes on trying.
    #[error("no valid token is held")]
    Unavailable(#[source] ProviderError),
}
