use redis_authx::{IdentityProvider, ProviderError, Token, async_trait};

use crate::flow::ClientSecretGrant;
use crate::token_endpoint::TokenEndpoint;

/// An identity that signs in to Microsoft Entra ID: what a token manager asks
/// for tokens.
///
/// Built by a way to sign in, such as [`ClientSecret`](crate::ClientSecret).
/// Each [`request_token`](IdentityProvider::request_token) is one HTTP request;
/// nothing is cached. `Debug` shows no secret.
///
/// # Cancel safety
/// Dropping the future of a request leaves nothing behind in the identity; what
/// becomes of the connection is the [`HttpClient`](crate::HttpClient)'s.
#[derive(Debug)]
pub struct EntraIdentity {
    endpoint: TokenEndpoint,
    grant: ClientSecretGrant,
}

impl EntraIdentity {
    pub(crate) const fn new(endpoint: TokenEndpoint, grant: ClientSecretGrant) -> Self {
        Self { endpoint, grant }
    }
}

#[async_trait]
impl IdentityProvider for EntraIdentity {
    async fn request_token(&self) -> Result<Token, ProviderError> {
        self.endpoint.request(self.grant.form()).await
    }
}
