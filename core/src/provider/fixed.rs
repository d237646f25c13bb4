use async_trait::async_trait;

use super::IdentityProvider;
use crate::{ProviderError, Token};

/// Always the same token: a plain password behind the same interface.
///
/// The manager sees that the token does not change and re-authenticates
/// nobody.
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
    async fn request_token(&self) -> Result<Token, ProviderError> {
        Ok(self.0.clone())
    }
}
