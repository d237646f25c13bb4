use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::claims::is_name;
use super::{ClaimError, Claims};
use crate::ConfigError;

type Mapper = dyn Fn(&Claims) -> Result<String, ClaimError> + Send + Sync;

/// Which Redis user a token logs in as: how the name is read from it.
///
/// Default: `oid`, which is what Azure wants (Microsoft Learn, "Use Microsoft
/// Entra for cache authentication": the user name is the object id).
#[derive(Clone)]
pub struct Username(Rule);

#[derive(Clone)]
enum Rule {
    Claim(Cow<'static, str>),
    Mapped(Arc<Mapper>),
}

impl Username {
    /// The name is the text of this claim.
    pub fn claim(claim: impl Into<Cow<'static, str>>) -> Self {
        Self(Rule::Claim(claim.into()))
    }

    /// The name is made from the claims.
    pub fn mapped<F>(mapper: F) -> Self
    where
        F: Fn(&Claims) -> Result<String, ClaimError> + Send + Sync + 'static,
    {
        Self(Rule::Mapped(Arc::new(mapper)))
    }

    /// For builders: refuses what can't work.
    ///
    /// # Errors
    /// [`ConfigError`] on `username_claim` when the claim's name is blank.
    pub fn check(&self) -> Result<(), ConfigError> {
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
    /// See [`Claims::name`]; what the function said that makes the name; and
    /// [`InvalidClaim`](ClaimError::InvalidClaim) on `username` when that name
    /// is empty, or holds white space or control characters.
    pub fn of(&self, claims: &Claims) -> Result<String, ClaimError> {
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
