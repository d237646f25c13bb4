//! What the flows have in common in which a person signs in: their tokens are
//! renewed with a refresh token (RFC 6749 §6).

mod refresh;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use futures_util::lock::Mutex as AsyncMutex;
use redis_authx::{ConfigError, ErrorKind, IdentityProvider, ProviderError, Token, async_trait};

use self::refresh::Refresh;
use super::settings::{Settings, check_client_id};
use crate::secret::Secret;
use crate::token_endpoint::{Form, Reply, TokenEndpoint};
use crate::{EntraError, EntraIdentity};

/// Asked for beside the one scope of Redis (Microsoft Learn, "Scopes and
/// permissions in the Microsoft identity platform", "OpenID Connect scopes").
/// None of them is of a resource, so the token stays one for Redis:
/// `offline_access` gives the refresh token, `openid` the id token with the
/// nonce in it, `profile` the `oid` claim ("Access token claims reference").
const OPENID_SCOPES: &str = "openid profile offline_access";

/// An application in which people sign in, and where it asks for tokens.
#[derive(Debug)]
pub(super) struct UserApp {
    endpoint: TokenEndpoint,
    pub(super) client_id: String,
    client_secret: Option<Secret>,
    pub(super) scopes: String,
}

impl UserApp {
    pub(super) fn new(
        client_id: &str,
        client_secret: Option<&Secret>,
        settings: &Settings,
    ) -> Result<Self, ConfigError> {
        if let Some(secret) = client_secret {
            secret.check("client_secret")?;
        }
        check_client_id(client_id, client_secret)?;
        Ok(Self {
            endpoint: settings.user_endpoint()?,
            client_id: client_id.to_owned(),
            client_secret: client_secret.cloned(),
            scopes: format!("{} {OPENID_SCOPES}", settings.scope),
        })
    }

    /// Asks for tokens once, with the fields of the grant.
    pub(super) async fn ask(&self, grant: &[(&str, &str)]) -> Result<Reply, ProviderError> {
        let mut fields = vec![("client_id", self.client_id.as_str())];
        fields.extend(grant);
        fields.push(("scope", &self.scopes));
        if let Some(secret) = &self.client_secret {
            fields.push(("client_secret", secret.expose()));
        }
        self.endpoint.ask(Form::new(&fields)).await
    }
}

/// Whether asking again with the same code may bring what this did not: no
/// answer came, or one that was not about the request. After any other the
/// code may be used up, or the next answer will be the same.
pub(super) const fn may_pass(error: &ProviderError) -> bool {
    use ErrorKind::{Throttled, Timeout, Unavailable};

    matches!(error.kind(), Throttled | Timeout | Unavailable)
}

/// The identity of the person who has signed in, which needs them no more.
///
/// A first token that can't be used is no reason to ask them again: the code is
/// used up, but the refresh token gets the next, or the same error.
pub(super) fn identity(
    app: Arc<UserApp>,
    mut reply: Reply,
) -> Result<EntraIdentity, ProviderError> {
    let refresh_token = reply.refresh_token.take().ok_or_else(|| {
        EntraError::unusable(
            ErrorKind::InvalidResponse,
            "the reply holds no `refresh_token`, though `offline_access` was asked for",
        )
    })?;
    let first = app.endpoint.token(reply).ok().map(First::new);
    Ok(EntraIdentity::new(Renewing {
        app,
        first: Mutex::new(first),
        refresh: AsyncMutex::new(Refresh::new(refresh_token.into())),
    }))
}

#[derive(Debug)]
struct Renewing {
    app: Arc<UserApp>,
    first: Mutex<Option<First>>,
    /// Held over a renewal: a service may allow each refresh token to be used
    /// once.
    refresh: AsyncMutex<Refresh>,
}

/// The token that came with the sign-in, until it is asked for.
#[derive(Debug)]
struct First {
    token: Token,
    until: SystemTime,
}

impl First {
    fn new(token: Token) -> Self {
        let now = SystemTime::now();
        let left = token.time_left(now).unwrap_or_default();
        Self {
            until: now.checked_add(left).unwrap_or(now),
            token,
        }
    }

    /// With what is left of its life, if anything is.
    fn token(self) -> Option<Token> {
        let left = self.until.duration_since(SystemTime::now()).ok()?;
        (!left.is_zero()).then(|| self.token.expires_in(left))
    }
}

#[async_trait]
impl IdentityProvider for Renewing {
    async fn request_token(&self) -> Result<Token, ProviderError> {
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(token) = first.and_then(First::token) {
            return Ok(token);
        }
        let reply = self.refresh.lock().await.ask(&self.app).await?;
        self.app.endpoint.token(reply)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_first_token_ages_until_it_is_asked_for() {
        let token = Token::new("oid", "token").expires_in(Duration::from_secs(3600));
        let mut first = First::new(token);
        first.until -= Duration::from_secs(3000);
        let left = first
            .token()
            .and_then(|token| token.time_left(SystemTime::now()));
        let left = left.expect("some is left");
        assert!(left <= Duration::from_secs(600), "{left:?}");
        assert!(left > Duration::from_secs(500), "{left:?}");

        let token = Token::new("oid", "token").expires_in(Duration::from_secs(60));
        let mut first = First::new(token);
        first.until -= Duration::from_secs(60);
        assert!(first.token().is_none(), "nothing is left");
    }
}
