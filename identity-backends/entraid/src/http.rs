//! HTTP as an identity needs it: one request, one response.

mod error;
mod message;
mod pinned;
mod request;
#[cfg(feature = "reqwest")]
mod reqwest;
mod response;
mod ureq;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

#[cfg(feature = "reqwest")]
pub use self::reqwest::ReqwestClient;
pub use self::ureq::{UreqClient, UreqClientBuilder};
pub use error::{HttpError, HttpErrorKind};
pub(crate) use pinned::{PinnedClient, Thumbprint};
pub use request::{HttpMethod, HttpRequest};
pub use response::{HttpResponse, MAX_RESPONSE_BODY};

/// Sends one HTTP request. The seam for a client, proxy or TLS set-up of your
/// own; without one, [`UreqClient`] is used.
///
/// ```
/// use redis_authx_entraid::{HttpClient, HttpError, HttpRequest, HttpResponse};
///
/// #[derive(Debug)]
/// struct Down;
///
/// #[redis_authx::async_trait]
/// impl HttpClient for Down {
///     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
///         Ok(HttpResponse::new(503).with_header("retry-after", "5"))
///     }
/// }
/// ```
#[async_trait]
pub trait HttpClient: fmt::Debug + Send + Sync + 'static {
    /// Sends `request` once and returns whatever answer comes.
    ///
    /// A status that is not 2xx is an answer, not an error. Redirects must not
    /// be followed: the request's body holds a secret that is meant for one
    /// host. A body longer than [`MAX_RESPONSE_BODY`] may be refused with
    /// [`HttpErrorKind::TooLarge`]; it won't be used either way.
    ///
    /// # Errors
    /// When no complete answer came.
    ///
    /// # Cancel safety
    /// The future is dropped when the token manager's time limit runs out, so
    /// nothing may be left half-done by that.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError>;
}

const _: fn(&dyn HttpClient) = |_| ();

#[async_trait]
impl<T: HttpClient + ?Sized> HttpClient for Arc<T> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        (**self).send(request).await
    }
}

#[async_trait]
impl<T: HttpClient + ?Sized> HttpClient for Box<T> {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        (**self).send(request).await
    }
}
