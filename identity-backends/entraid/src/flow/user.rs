//! What the flows have in common in which a person signs in: their tokens are
//! renewed with a refresh token (RFC 6749 §6).

mod refresh;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::lock::Mutex as AsyncMutex;
use redis_authx::{
    ConfigError, ErrorKind, IdentityProvider, Moment, ProviderError, RequestReason, Token,
    TokenRequest, async_trait,
};

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
///
/// The reply came at `received`.
pub(super) fn identity(
    app: Arc<UserApp>,
    mut reply: Reply,
    received: Moment,
) -> Result<EntraIdentity, ProviderError> {
    let refresh_token = reply.refresh_token.take().ok_or_else(|| {
        EntraError::unusable(
            ErrorKind::InvalidResponse,
            "the reply holds no `refresh_token`, though `offline_access` was asked for",
        )
    })?;
    let first = app.endpoint.token(reply, received.wall()).ok();
    let first = first.map(|token| ageing(token, received));
    Ok(EntraIdentity::new(Renewing {
        app,
        first: Mutex::new(first),
        refresh: AsyncMutex::new(Refresh::new(refresh_token.into())),
    }))
}

#[derive(Debug)]
struct Renewing {
    app: Arc<UserApp>,
    /// The token that came with the sign-in, until it is requested. It states
    /// when it expires, so that it ages in the meantime.
    first: Mutex<Option<Token>>,
    /// Held over a renewal: a service may allow each refresh token to be used
    /// once.
    refresh: AsyncMutex<Refresh>,
}

/// The token with the time of its expiry in place of its lifetime.
fn ageing(token: Token, received: Moment) -> Token {
    let left = token.time_left(received).unwrap_or_default();
    token.expires_at(received.after(left).wall())
}

#[async_trait]
impl IdentityProvider for Renewing {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let first = self
            .first
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // One that was refused may be this one, from another manager.
        let refused = matches!(request.reason(), RequestReason::Refused { .. });
        let now = Moment::now(request.clock());
        if let Some(token) = first.filter(|_| !refused)
            && let Some(left) = token.time_left(now)
            && !left.is_zero()
        {
            return Ok(token.expires_in(left));
        }
        let reply = self.refresh.lock().await.ask(&self.app).await?;
        self.app.endpoint.token(reply, request.clock().wall())
    }
}
