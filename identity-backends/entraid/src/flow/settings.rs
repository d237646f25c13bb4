use std::sync::Arc;

use redis_authx::ConfigError;

use crate::http::{HttpClient, UreqClient};
use crate::scope::{REDIS_SCOPE_DEFAULT, check_app_scope};
use crate::token_endpoint::TokenEndpoint;
use crate::username::Username;
use crate::{Authority, secret::Secret};

/// What every way to sign in can be told.
#[derive(Clone, Debug)]
pub(super) struct Settings {
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
    pub(super) fn app_endpoint(self) -> Result<TokenEndpoint, ConfigError> {
        check_app_scope(&self.scope)?;
        self.username.check()?;
        let url = self.authority.app_token_url()?;
        let http = self.http.unwrap_or_else(|| Arc::new(UreqClient::new()));
        Ok(TokenEndpoint::new(url, http, self.username))
    }
}

/// An application's id: a GUID, but only its shape as a field is checked.
pub(super) fn check_client_id(id: &str, secret: &Secret) -> Result<(), ConfigError> {
    let blank = id.trim().is_empty();
    if !blank && !id.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    // The two are easily swapped, and a secret must not be shown.
    let found = if blank {
        "blank".to_owned()
    } else if id.contains(secret.expose()) {
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
