use std::borrow::Cow;
use std::fmt;

/// An error in an access token's claims. Of the token, it holds only the name of
/// the claim.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimError {
    /// The claim has the wrong type or is out of range.
    InvalidClaim(Cow<'static, str>),
    /// The token is not a JWT, or its claims can't be read.
    Malformed,
    /// The token has no such claim.
    MissingClaim(Cow<'static, str>),
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidClaim(name) => {
                write!(f, "the access token's `{name}` claim can't be used")
            }
            Self::Malformed => {
                f.write_str("the access token is not a JWT whose claims can be read")
            }
            Self::MissingClaim(name) => write!(f, "the access token has no `{name}` claim"),
        }
    }
}

impl std::error::Error for ClaimError {}
