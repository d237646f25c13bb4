//! Where tokens come from.

mod chain;
mod fixed;
mod function;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{ProviderError, Token};

pub use chain::{ChainError, ProviderChain};
pub use fixed::StaticToken;
pub use function::{FnProvider, provider_fn};

/// Requests tokens from an identity service.
///
/// One method. Caching, retries, time limits and scheduling are the manager's:
/// an implementation asks once and reports what it got. The manager never has
/// two requests open at a time.
///
/// ```
/// use std::time::Duration;
/// use redis_authx::{IdentityProvider, ProviderError, Token, async_trait};
///
/// #[derive(Debug)]
/// struct Broker;
///
/// #[async_trait]
/// impl IdentityProvider for Broker {
///     async fn request_token(&self) -> Result<Token, ProviderError> {
///         Ok(Token::new("app", "lease").expires_in(Duration::from_secs(600)))
///     }
/// }
/// ```
#[async_trait]
pub trait IdentityProvider: fmt::Debug + Send + Sync + 'static {
    /// Requests one token.
    ///
    /// # Errors
    /// Says by its [kind](crate::ErrorKind) whether asking again can help.
    /// A panic counts as a failed attempt of kind
    /// [`Other`](crate::ErrorKind::Other).
    ///
    /// # Cancel safety
    /// The manager drops the future when its time limit runs out or when it
    /// is stopped: nothing may be left half-done by that.
    async fn request_token(&self) -> Result<Token, ProviderError>;
}

const _: fn(&dyn IdentityProvider) = |_| ();

#[async_trait]
impl<T: IdentityProvider + ?Sized> IdentityProvider for Arc<T> {
    async fn request_token(&self) -> Result<Token, ProviderError> {
        (**self).request_token().await
    }
}

#[async_trait]
impl<T: IdentityProvider + ?Sized> IdentityProvider for Box<T> {
    async fn request_token(&self) -> Result<Token, ProviderError> {
        (**self).request_token().await
    }
}
