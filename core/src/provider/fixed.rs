use async_trait::async_trait;

use super::IdentityProvider;
use crate::{ProviderError, Token, TokenRequest};

/// An [`IdentityProvider`] that always returns the same token, such as a plain
/// password. No connection is re-authenticated for it.
#[derive(Clone, Debug)]
pub struct StaticToken(Token);

impl StaticToken {
    /// Answers every request with `token`.
    #[must_use]
    pub const fn new(token: Token) -> Self {
        Self(token)
    }
}

#[async_trait]
impl IdentityProvider for StaticToken {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        Ok(self.0.clone())
    }
}
