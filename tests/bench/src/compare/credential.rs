//! The emulator's tokens, as the built-in takes them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core_0_31::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core_0_31::error::{Error, ErrorKind};
use redis_authx::{IdentityProvider, Moment, TokenRequest};
use redis_authx_tokio::Tokio;

/// How long before a token's expiry the built-in asks for the next one: fixed, in
/// `entra_id.rs` of redis 1.8 (`TOKEN_REFRESH_BUFFER_SECS`).
pub(crate) const MARGIN: Duration = Duration::from_secs(240);

/// How long a request may take: as the manager's default.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);

/// Requests each token as our side does, through the same HTTP client.
#[derive(Debug)]
pub(crate) struct Credential {
    identity: Arc<dyn IdentityProvider>,
    renewed_after: Option<Duration>,
}

impl Credential {
    /// With `renewed_after` it states an expiry by which the built-in, with its
    /// fixed margin, asks again after just that; else the true one.
    pub(crate) fn new(
        identity: Arc<dyn IdentityProvider>,
        renewed_after: Option<Duration>,
    ) -> Self {
        Self {
            identity,
            renewed_after,
        }
    }
}

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core_0_31::Result<AccessToken> {
        let request = TokenRequest::new(&Tokio, LIMIT);
        let requested = self.identity.request_token(&request).await;
        let token = requested.map_err(|error| Error::new(ErrorKind::Credential, error))?;
        let now = Moment::now(&Tokio);
        let left = match self.renewed_after {
            Some(after) => after + MARGIN,
            None => token.time_left(now).unwrap_or_default(),
        };
        let expires_on = now.after(left).wall().into();
        Ok(AccessToken::new(token.password().to_owned(), expires_on))
    }
}
