//! Which Redis user a token logs in as.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use redis_authx::ConfigError;

use crate::claims::is_name;
use crate::{ClaimError, Claims};

type Mapper = dyn Fn(&Claims) -> Result<String, ClaimError> + Send + Sync;

/// How the user name is read from a token.
#[derive(Clone)]
pub(crate) enum Username {
    Claim(Cow<'static, str>),
    Mapped(Arc<Mapper>),
}

impl Username {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match self {
            Self::Claim(claim) if claim.trim().is_empty() => Err(ConfigError::invalid(
                "username_claim",
                "blank",
                "the name of a claim, as `oid`",
            )),
            _ => Ok(()),
        }
    }

    pub(crate) fn of(&self, claims: &Claims) -> Result<String, ClaimError> {
        match self {
            Self::Claim(claim) => claims.name(claim.clone()).map(str::to_owned),
            // Whatever the mapper does: no name reaches Redis that could not
            // be a claim.
            Self::Mapped(mapper) => mapper(claims).and_then(|name| {
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
    /// Microsoft Learn, "Use Microsoft Entra for cache authentication": the
    /// user name is the object id.
    fn default() -> Self {
        Self::Claim("oid".into())
    }
}

impl fmt::Debug for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claim(claim) => claim.fmt(f),
            Self::Mapped(_) => f.write_str("a function"),
        }
    }
}
