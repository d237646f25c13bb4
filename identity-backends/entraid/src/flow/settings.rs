use std::sync::Arc;

use redis_authx::ConfigError;
use redis_authx::jwt::Username;

use crate::http::{HttpClient, UreqClient};
use crate::issue::TokenReader;
use crate::scope::{REDIS_SCOPE_DEFAULT, check_app_scope};
use crate::token_endpoint::TokenEndpoint;
use crate::{Authority, secret::Secret};

/// What every way to sign in can be told.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// Unused by flows that don't ask Entra ID itself.
    pub(super) authority: Authority,
    pub(super) scope: String,
    pub(super) username: Username,
    pub(super) http: Option<Arc<dyn HttpClient>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            authority: Authority::default(),
            scope: REDIS_SCOPE_DEFAULT.into(),
            username: Username::default(),
            http: None,
        }
    }
}

impl Settings {
    /// For a grant in which no person takes part.
    pub(super) fn app_endpoint(&self) -> Result<TokenEndpoint, ConfigError> {
        check_app_scope(&self.scope)?;
        let url = self.authority.app_url("token")?;
        Ok(TokenEndpoint::new(url, self.http(), self.reader()?))
    }

    /// For a grant in which a person takes part. The same scope as for an
    /// application: Redis has no finer one.
    #[cfg(feature = "interactive")]
    pub(super) fn user_endpoint(&self) -> Result<TokenEndpoint, ConfigError> {
        check_app_scope(&self.scope)?;
        let url = self.authority.user_url("token")?;
        Ok(TokenEndpoint::new(url, self.http(), self.reader()?))
    }

    /// How the access token is read.
    pub(super) fn reader(&self) -> Result<TokenReader, ConfigError> {
        self.username.validate()?;
        Ok(TokenReader::new(self.username.clone()))
    }

    /// The client that was given, or the default one.
    pub(super) fn http(&self) -> Arc<dyn HttpClient> {
        self.http
            .clone()
            .unwrap_or_else(|| Arc::new(UreqClient::new()))
    }
}

/// An application's id: a GUID, but only its shape as a field is checked.
/// `secret`, where the flow has one, is easily given in its place, and must
/// not be shown.
pub(super) fn check_client_id(id: &str, secret: Option<&Secret>) -> Result<(), ConfigError> {
    let blank = id.trim().is_empty();
    if !blank && !id.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    let found = if blank {
        "blank".to_owned()
    } else if secret.is_some_and(|secret| id.contains(secret.expose())) {
        "[redacted]".to_owned()
    } else {
        format!("{id:?}")
    };
    Err(ConfigError::invalid(
        "client_id",
        found,
        "the application (client) id of the app registration, without white space",
    ))
}
