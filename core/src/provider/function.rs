use std::fmt;

use async_trait::async_trait;

use super::IdentityProvider;
use crate::{ProviderError, Token, TokenRequest};

/// An [`IdentityProvider`] made of an async closure; see [`provider_fn`].
#[derive(Clone)]
pub struct FnProvider<F>(F);

/// Makes an [`IdentityProvider`] of an async closure. A provider that looks at
/// its [`TokenRequest`] implements the trait.
///
/// ```
/// use redis_authx::{Token, provider_fn};
///
/// let provider = provider_fn(|| async { Ok(Token::new("app", "password")) });
/// ```
pub const fn provider_fn<F, R>(function: F) -> FnProvider<F>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<Token, ProviderError>> + Send,
{
    FnProvider(function)
}

#[async_trait]
impl<F, R> IdentityProvider for FnProvider<F>
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<Token, ProviderError>> + Send,
{
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        (self.0)().await
    }
}

impl<F> fmt::Debug for FnProvider<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnProvider").finish_non_exhaustive()
    }
}
