use super::ProviderError;

/// Why there is no token to hand out.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A token is being requested: the first, or the next one where the last
    /// has just expired and no request has failed since it came.
    #[error("a token has been requested and has not arrived yet")]
    Pending,
    /// The manager was stopped or its driver dropped: no token will come.
    #[error("the token manager has stopped")]
    Stopped,
    /// The last token has expired, or none ever came, and the latest request
    /// failed. The manager goes on trying, unless it was told to
    /// [stop](crate::OnExhausted::Stop) when its retries are used up.
    #[error("no valid token is held")]
    Unavailable(#[source] ProviderError),
}
