use redis_authx::{IdentityProvider, ProviderError, Token, TokenRequest, async_trait};

/// An identity that signs in to Microsoft Entra ID: what a token manager asks
/// for tokens.
///
/// Built by a way to sign in, such as [`ClientSecret`](crate::ClientSecret).
/// Each [`request_token`](IdentityProvider::request_token) asks the service
/// anew; no token is cached, save the one that came with a person's sign-in,
/// which is served once, and not at all to a request because a server has
/// [refused](redis_authx::RequestReason::Refused) a token. `Debug` shows no secret.
///
/// # Cancel safety
/// Dropping the future of a request leaves nothing behind in the identity; what
/// becomes of the connection is the [`HttpClient`](crate::HttpClient)'s.
///
/// Where a person signed in, the request that was dropped is kept until the
/// next one, for the refresh token in its answer. If that has not come by then,
/// or the client does not go on by itself, it is lost. This matters only to a
/// service that lets each refresh token be used once; Entra ID does not.
#[derive(Debug)]
pub struct EntraIdentity(Box<dyn IdentityProvider>);

impl EntraIdentity {
    pub(crate) fn new(flow: impl IdentityProvider) -> Self {
        Self(Box::new(flow))
    }
}

#[async_trait]
impl IdentityProvider for EntraIdentity {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        self.0.request_token(request).await
    }
}
