use std::sync::Arc;

use redis_authx::ConfigError;
use redis_authx::jwt::{ClaimError, Claims, Username};

use crate::AzureIdentity;

/// Settings of an [`AzureIdentity`]; made by [`AzureIdentity::builder`].
#[derive(Debug)]
#[must_use]
pub struct AzureIdentityBuilder(AzureIdentity);

impl AzureIdentityBuilder {
    pub(crate) const fn new(identity: AzureIdentity) -> Self {
        Self(identity)
    }

    /// What the token is for. Default: `https://redis.azure.com/.default`, for
    /// Azure Managed Redis and Azure Cache for Redis.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.0.scope = scope.into();
        self
    }

    /// The claim of the access token that holds the Redis user name. Default:
    /// `oid`, the object id, which is what Azure wants.
    pub fn username_claim(mut self, claim: impl Into<String>) -> Self {
        self.0.username = Username::claim(claim.into());
        self
    }

    /// Makes the Redis user name from the access token's claims.
    pub fn username<F>(mut self, mapper: F) -> Self
    where
        F: Fn(&Claims) -> Result<String, ClaimError> + Send + Sync + 'static,
    {
        self.0.username = Username::from_fn(mapper);
        self
    }

    /// Sees each error of the credential as it is, before it is classified and
    /// its text left behind. **It may quote a reply or a tool's output**, and so
    /// a token. Called on the task that asks, which it must not block.
    pub fn inspect_error<F>(mut self, inspect: F) -> Self
    where
        F: Fn(&azure_core::Error) + Send + Sync + 'static,
    {
        self.0.inspect = Some(Arc::new(inspect));
        self
    }

    /// Builds the identity. Asks for nothing.
    ///
    /// # Errors
    /// Names the setting that can't work: `scope` or `username_claim`.
    pub fn build(self) -> Result<AzureIdentity, ConfigError> {
        let scope = &self.0.scope;
        if scope.is_empty() || scope.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(ConfigError::invalid(
                "scope",
                format_args!("{scope:?}"),
                "one scope, as `https://redis.azure.com/.default`",
            ));
        }
        self.0.username.validate()?;
        Ok(self.0)
    }
}
