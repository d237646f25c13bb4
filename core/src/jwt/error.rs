use std::borrow::Cow;

/// What is wrong with an access token's claims. Holds nothing of the token but
/// the claim's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The claim is there, but of the wrong type or out of range.
    #[error("the access token's `{0}` claim can't be used")]
    InvalidClaim(Cow<'static, str>),
    /// The token is no JWT, or its claims can't be read.
    #[error("the access token is not a JWT whose claims can be read")]
    Malformed,
    /// The claim is not there.
    #[error("the access token has no `{0}` claim")]
    MissingClaim(Cow<'static, str>),
}
