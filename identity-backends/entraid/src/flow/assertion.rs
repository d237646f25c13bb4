//! Signing in with a JWT in place of a secret: the client assertion of RFC 7523
//! §2.2 and RFC 7521 §4.2, whoever has issued it.

mod foreign;

use std::fmt::Debug;

use redis_authx::{ConfigError, IdentityProvider, ProviderError, Token, TokenRequest, async_trait};

use super::settings::Settings;
use crate::EntraIdentity;
use crate::secret::Secret;
use crate::token_endpoint::{Form, TokenEndpoint};
pub(super) use foreign::{MAX_ASSERTION, NOT_A_JWT, foreign};

/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Makes an assertion for each request.
#[async_trait]
pub(super) trait Assertion: Debug + Send + Sync + 'static {
    /// `audience` is the URL of the token endpoint.
    async fn assertion(&self, audience: &str) -> Result<Secret, ProviderError>;
}

/// The identity of `client_id` that signs in by assertions.
pub(super) fn identity(
    client_id: String,
    settings: Settings,
    assertion: impl Assertion,
) -> Result<EntraIdentity, ConfigError> {
    Ok(EntraIdentity::new(Flow {
        endpoint: settings.app_endpoint()?,
        client_id,
        assertion: Box::new(assertion),
        scope: settings.scope,
    }))
}

#[derive(Debug)]
struct Flow {
    endpoint: TokenEndpoint,
    client_id: String,
    assertion: Box<dyn Assertion>,
    scope: String,
}

#[async_trait]
impl IdentityProvider for Flow {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let assertion = self.assertion.assertion(self.endpoint.url()).await?;
        let form = Form::new(&[
            ("client_id", &self.client_id),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.expose()),
            ("grant_type", "client_credentials"),
            ("scope", &self.scope),
        ]);
        self.endpoint.request(form, request).await
    }
}
