use redis_authx::{ConfigError, IdentityProvider, ProviderError, Token, TokenRequest, async_trait};

use super::settings::{Settings, check_client_id};
use crate::EntraIdentity;
use crate::secret::Secret;
use crate::token_endpoint::{Form, TokenEndpoint};

/// Signs in as an application by its client secret: the client credentials
/// grant of RFC 6749 §4.4 (Microsoft Learn, "OAuth 2.0 client credentials
/// flow").
///
/// ```
/// use redis_authx_entraid::{Authority, ClientSecret};
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = ClientSecret::new("8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11", "s3cret")
///     .authority(Authority::tenant("contoso.onmicrosoft.com"))
///     .build()?;
/// assert!(!format!("{identity:?}").contains("s3cret"));
/// # Ok(())
/// # }
/// ```
///
/// The secret is redacted in `Debug` and wiped from memory when it is dropped.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientSecret {
    client_id: String,
    client_secret: Secret,
    pub(super) settings: Settings,
}

impl ClientSecret {
    /// The application (client) id of the app registration, and the value, not
    /// the id, of one of its client secrets.
    pub fn new(client_id: impl Into<String>, client_secret: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: Secret::new(client_secret),
            settings: Settings::default(),
        }
    }

    authority_setter! {
        /// Whose tenant the application signs in to. Must be set: the default,
        /// [`Authority::Default`](crate::Authority::Default), serves no
        /// applications.
    }

    token_setters! {}

    /// Builds the identity. Sends nothing.
    ///
    /// # Errors
    /// Names the setting that can't work: `client_id`, `client_secret`,
    /// `authority`, `authority.tenant`, `authority.url`, `scope` or
    /// `username_claim`.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        self.client_secret.check("client_secret")?;
        check_client_id(&self.client_id, Some(&self.client_secret))?;
        Ok(EntraIdentity::new(Flow {
            endpoint: self.settings.app_endpoint()?,
            client_id: self.client_id,
            client_secret: self.client_secret,
            scope: self.settings.scope,
        }))
    }
}

#[derive(Debug)]
struct Flow {
    endpoint: TokenEndpoint,
    client_id: String,
    client_secret: Secret,
    scope: String,
}

#[async_trait]
impl IdentityProvider for Flow {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let form = Form::new(&[
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
            ("grant_type", "client_credentials"),
            ("scope", &self.scope),
        ]);
        self.endpoint.request(form, request).await
    }
}
