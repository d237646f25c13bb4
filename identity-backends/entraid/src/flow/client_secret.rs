use std::sync::Arc;

use redis_authx::ConfigError;

use super::settings::{Settings, check_client_id};
use crate::secret::Secret;
use crate::token_endpoint::Form;
use crate::username::Username;
use crate::{Authority, ClaimError, Claims, EntraIdentity, HttpClient};

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
    settings: Settings,
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

    /// Whose tenant the application signs in to. Must be set: the default,
    /// [`Authority::Default`], serves no applications.
    pub fn authority(mut self, authority: Authority) -> Self {
        self.settings.authority = authority;
        self
    }

    /// What the token is for: one resource followed by `/.default`. Default:
    /// [`REDIS_SCOPE_DEFAULT`](crate::REDIS_SCOPE_DEFAULT).
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.settings.scope = scope.into();
        self
    }

    /// The claim of the access token that holds the Redis user name. Default:
    /// `oid`, the object id, which is what Azure wants.
    pub fn username_claim(mut self, claim: impl Into<String>) -> Self {
        self.settings.username = Username::Claim(claim.into().into());
        self
    }

    /// Makes the Redis user name from the access token's claims, where it is
    /// none of them as it stands.
    ///
    /// ```
    /// # use redis_authx_entraid::{Claims, ClientSecret};
    /// # let builder = ClientSecret::new("id", "s3cret");
    /// let builder = builder.username(|claims: &Claims| Ok(format!("app-{}", claims.oid()?)));
    /// ```
    pub fn username<F>(mut self, mapper: F) -> Self
    where
        F: Fn(&Claims) -> Result<String, ClaimError> + Send + Sync + 'static,
    {
        self.settings.username = Username::Mapped(Arc::new(mapper));
        self
    }

    /// What sends the requests. Default: [`UreqClient`](crate::UreqClient) with
    /// its defaults.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.settings.http = Some(Arc::new(client));
        self
    }

    /// Builds the identity. Sends nothing.
    ///
    /// # Errors
    /// Names the setting that can't work: `client_id`, `client_secret`,
    /// `authority`, `authority.tenant`, `authority.url`, `scope` or
    /// `username_claim`.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        self.client_secret.check("client_secret")?;
        check_client_id(&self.client_id, &self.client_secret)?;
        let scope = self.settings.scope.clone();
        let endpoint = self.settings.app_endpoint()?;
        let grant = ClientSecretGrant {
            client_id: self.client_id,
            client_secret: self.client_secret,
            scope,
        };
        Ok(EntraIdentity::new(endpoint, grant))
    }
}

/// What is sent.
#[derive(Debug)]
pub(crate) struct ClientSecretGrant {
    client_id: String,
    client_secret: Secret,
    scope: String,
}

impl ClientSecretGrant {
    pub(crate) fn form(&self) -> Form {
        Form::new(&[
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose()),
            ("grant_type", "client_credentials"),
            ("scope", &self.scope),
        ])
    }
}
