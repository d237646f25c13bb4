//! Where tokens come from.

mod chain;
mod fixed;
mod function;
mod request;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{ProviderError, Token};

pub use chain::{ChainError, ProviderChain};
pub use fixed::StaticToken;
pub use function::{FnProvider, provider_fn};
pub use request::{RequestReason, TokenRequest};

/// Requests tokens from an identity service.
///
/// Caching, retries, time limits and scheduling are the manager's part. An
/// implementation makes one request and reports the outcome. The manager never
/// has two requests open at a time.
///
/// A token without an expiry (no [`expires_in`](Token::expires_in), no
/// [`expires_at`](Token::expires_at)) is not requested again, unless
/// [`refresh_in`](Token::refresh_in) says when. When the same user name and
/// password come again, only their expiry is taken over and no connection is
/// re-authenticated.
///
/// ```
/// use std::time::Duration;
/// use redis_authx::{IdentityProvider, ProviderError, Token, TokenRequest, async_trait};
///
/// #[derive(Debug)]
/// struct Broker;
///
/// #[async_trait]
/// impl IdentityProvider for Broker {
///     async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
///         Ok(Token::new("app", "lease").expires_in(Duration::from_secs(600)))
///     }
/// }
/// ```
#[async_trait]
pub trait IdentityProvider: fmt::Debug + Send + Sync + 'static {
    /// Requests one token.
    ///
    /// It must not block the thread: the manager's time limit could not end it
    /// then. `request` says why and until when the token is wanted; most
    /// implementations have no need of it.
    ///
    /// # Errors
    /// The [kind](crate::ErrorKind) of the error says whether another attempt can
    /// help. A panic counts as a failed attempt of kind
    /// [`Other`](crate::ErrorKind::Other).
    ///
    /// # Cancel safety
    /// The manager drops the future at the request's
    /// [deadline](TokenRequest::deadline) and when it is stopped: dropping it
    /// must leave nothing half-done.
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError>;
}

const _: fn(&dyn IdentityProvider) = |_| ();

#[async_trait]
impl<T: IdentityProvider + ?Sized> IdentityProvider for Arc<T> {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        (**self).request_token(request).await
    }
}

#[async_trait]
impl<T: IdentityProvider + ?Sized> IdentityProvider for Box<T> {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        (**self).request_token(request).await
    }
}
