use std::borrow::Cow;
use std::fmt;

/// What is wrong with an access token's claims. Holds nothing of the token but
/// the claim's name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClaimError {
    /// The claim is there, but of the wrong type or out of range.
    InvalidClaim(Cow<'static, str>),
    /// The token is no JWT, or its claims can't be read.
    Malformed,
    /// The claim is not there.
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
