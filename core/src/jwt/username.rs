use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::claims::is_name;
use super::{ClaimError, Claims};
use crate::ConfigError;

type Mapper = dyn Fn(&Claims) -> Result<String, ClaimError> + Send + Sync;

/// How the name of the Redis user is read from a token.
///
/// Default: `oid`, which Azure requires (Microsoft Learn, "Use Microsoft
/// Entra for cache authentication": the user name is the object id).
#[derive(Clone)]
pub struct Username(Rule);

#[derive(Clone)]
enum Rule {
    Claim(Cow<'static, str>),
    Mapped(Arc<Mapper>),
}

impl Username {
    /// Uses the text of this claim.
    pub fn claim(claim: impl Into<Cow<'static, str>>) -> Self {
        Self(Rule::Claim(claim.into()))
    }

    /// Computes the name from the claims.
    pub fn from_fn<F>(mapper: F) -> Self
    where
        F: Fn(&Claims) -> Result<String, ClaimError> + Send + Sync + 'static,
    {
        Self(Rule::Mapped(Arc::new(mapper)))
    }

    /// Checks the setting, for the `build` method of a provider.
    ///
    /// # Errors
    /// [`ConfigError`] on `username_claim` when the claim's name is blank.
    pub fn validate(&self) -> Result<(), ConfigError> {
        match &self.0 {
            Rule::Claim(claim) if claim.trim().is_empty() => Err(ConfigError::invalid(
                "username_claim",
                "blank",
                "the name of a claim, as `oid`",
            )),
            _ => Ok(()),
        }
    }

    /// The user name that a token with these claims logs in as.
    ///
    /// # Errors
    /// See [`Claims::name`]; the error of the function that computes the name; and
    /// [`InvalidClaim`](ClaimError::InvalidClaim) on `username` when that name
    /// is empty, or holds white space or control characters.
    pub fn resolve(&self, claims: &Claims) -> Result<String, ClaimError> {
        match &self.0 {
            Rule::Claim(claim) => claims.name(claim.clone()).map(str::to_owned),
            // Whatever the mapper does: no name reaches Redis that could not
            // be a claim.
            Rule::Mapped(mapper) => mapper(claims).and_then(|name| {
                if is_name(&name) {
                    Ok(name)
                } else {
                    Err(ClaimError::InvalidClaim("username".into()))
                }
            }),
        }
    }
}

impl Default for Username {
    fn default() -> Self {
        Self::claim("oid")
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Claim(claim) => claim.fmt(f),
            Rule::Mapped(_) => f.write_str("a function"),
        }
    }
}
