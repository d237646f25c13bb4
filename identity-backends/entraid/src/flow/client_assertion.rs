use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use redis_authx::{ConfigError, ProviderError, async_trait};
use zeroize::Zeroizing;

use super::assertion::{self, Assertion, foreign};
use super::settings::{Settings, check_client_id};
use crate::EntraIdentity;
use crate::secret::Secret;

type Answer = Pin<Box<dyn Future<Output = Result<String, ProviderError>> + Send>>;
type Function = dyn Fn() -> Answer + Send + Sync;

/// Signs in as an application by a JWT that another issuer has made and a
/// function of yours fetches: workload identity federation (Microsoft Learn,
/// "Workload identity federation"; RFC 7523 §2.2).
///
/// The application needs a federated identity credential that names the JWT's
/// issuer, subject and audience, which is usually
/// `api://AzureADTokenExchange`. Where Kubernetes writes the JWT to a file, use
/// [`WorkloadIdentity`](crate::WorkloadIdentity).
///
/// ```
/// use redis_authx::ProviderError;
/// use redis_authx_entraid::{Authority, ClientAssertion};
///
/// # async fn ask_the_broker() -> Result<String, std::io::Error> { Ok("a.b.c".into()) }
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = ClientAssertion::new("8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11", || async {
///         ask_the_broker().await.map_err(ProviderError::unavailable)
///     })
///     .authority(Authority::tenant("contoso.onmicrosoft.com"))
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// The function is called for each token request, hours apart, and its error is
/// the request's: its [kind](redis_authx::ErrorKind) decides when it is called
/// again. White space around the JWT is dropped. What is no JWT at all, or is
/// longer than 64 KiB, is not sent; that error is of kind
/// [`Other`](redis_authx::ErrorKind::Other).
///
/// # Cancel safety
/// A request that is dropped drops the function's future.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientAssertion {
    client_id: String,
    callback: Callback,
    settings: Settings,
}

impl ClientAssertion {
    /// The application (client) id of the app registration, and what fetches
    /// the JWT.
    pub fn new<F, Fut>(client_id: impl Into<String>, assertion: F) -> Self
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<String, ProviderError>> + Send + 'static,
    {
        Self {
            client_id: client_id.into(),
            callback: Callback(Arc::new(move || Box::pin(assertion()))),
            settings: Settings::default(),
        }
    }

    authority_setter! {
        /// Whose tenant the application signs in to. Must be set: the default,
        /// [`Authority::Default`](crate::Authority::Default), serves no
        /// applications.
    }

    token_setters! {}

    /// Builds the identity. Calls nothing and sends nothing.
    ///
    /// # Errors
    /// Names the setting that can't work: `client_id`, `authority`,
    /// `authority.tenant`, `authority.url`, `scope` or `username_claim`.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        check_client_id(&self.client_id, None)?;
        assertion::identity(self.client_id, self.settings, self.callback)
    }
}

#[derive(Clone)]
struct Callback(Arc<Function>);

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a function")
    }
}

#[async_trait]
impl Assertion for Callback {
    async fn assertion(&self, _audience: &str) -> Result<Secret, ProviderError> {
        let answer = (self.0)();
        let text = Zeroizing::new(answer.await?);
        foreign(&text).map_err(|found| {
            ProviderError::other(ConfigError::invalid(
                "assertion",
                format_args!("a function that returned {found}"),
                "one that returns a signed JWT",
            ))
        })
    }
}
