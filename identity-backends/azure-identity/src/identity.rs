use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azure_core::credentials::{AccessToken, TokenCredential};
use redis_authx::jwt::{ClaimError, Claims, Username};
use redis_authx::{IdentityProvider, ProviderError, Token, TokenRequest, async_trait};

use crate::AzureIdentityBuilder;
use crate::diagnosis::diagnose;

/// For Azure Managed Redis and Azure Cache for Redis (Microsoft Learn, "Use
/// Microsoft Entra for cache authentication").
pub(crate) const REDIS_SCOPE: &str = "https://redis.azure.com/.default";

pub(crate) type Inspect = dyn Fn(&azure_core::Error) + Send + Sync;

/// An identity that a [`TokenCredential`] signs in: what a token manager asks
/// for tokens.
///
/// Each request asks the credential, whose cache answers or not; here nothing
/// is cached. A request because a Redis server has
/// [refused](redis_authx::RequestReason::Refused) the token is like any other:
/// `TokenRequestOptions` of `azure_core` has no option to bypass a cache.
///
/// # Cancel safety
/// Dropping the future of a request drops the credential's.
pub struct AzureIdentity {
    pub(crate) credential: Arc<dyn TokenCredential>,
    pub(crate) scope: String,
    pub(crate) username: Username,
    pub(crate) inspect: Option<Arc<Inspect>>,
}

impl AzureIdentity {
    /// The user whose object id is in the credential's tokens for Redis. An
    /// `Arc` of any credential fits, as `azure_identity` makes them.
    #[must_use]
    pub fn new(credential: Arc<dyn TokenCredential>) -> Self {
        Self {
            credential,
            scope: REDIS_SCOPE.into(),
            username: Username::default(),
            inspect: None,
        }
    }

    /// The same with other settings.
    pub fn builder(credential: Arc<dyn TokenCredential>) -> AzureIdentityBuilder {
        AzureIdentityBuilder::new(Self::new(credential))
    }

    fn token(&self, found: &AccessToken) -> Result<Token, ProviderError> {
        let claims =
            Claims::parse(found.token.secret()).map_err(ProviderError::invalid_response)?;
        let username = self
            .username
            .resolve(&claims)
            .map_err(ProviderError::invalid_response)?;
        let stated = u64::try_from(found.expires_on.unix_timestamp()).unwrap_or_default();
        let stated = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(stated));
        let expiry = match (claims.exp(), stated) {
            (Ok(exp), Some(stated)) => exp.min(stated),
            (Ok(exp), None) => exp,
            // The credential has said it.
            (Err(ClaimError::MissingClaim(_)), Some(stated)) => stated,
            (Err(error), _) => return Err(ProviderError::invalid_response(error)),
        };
        Ok(Token::new(username, found.token.secret()).expires_at(expiry))
    }
}

#[async_trait]
impl IdentityProvider for AzureIdentity {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        match self.credential.get_token(&[&self.scope], None).await {
            Ok(found) => self.token(&found),
            Err(error) => {
                if let Some(inspect) = &self.inspect {
                    inspect(&error);
                }
                Err(diagnose(&error))
            }
        }
    }
}

impl fmt::Debug for AzureIdentity {
    /// Without the credential: what it shows is not this crate's to promise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureIdentity")
            .field("scope", &self.scope)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}
