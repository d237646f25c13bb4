use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use redis_authx::{ConfigError, Moment};
use url::Url;

use super::AuthorizationCode;
use super::proof::Proof;
use super::redirected;
use crate::flow::user::{UserApp, identity};
use crate::secret::Secret;
use crate::token_endpoint::Reply;
use crate::{Claims, EntraIdentity, SignInError};

/// A sign-in that has begun: someone must open its [`url`](Self::url), and
/// what the browser is then redirected to goes to [`finish`](Self::finish).
///
/// For web applications, and for programs that are pasted the address they
/// can't receive. Keep it where only the session of the person who signs in
/// reaches it: whose redirect matches its `state` is signed in.
///
/// ```no_run
/// use redis_authx_entraid::{Authority, AuthorizationCode, EntraIdentity, SignIn, SignInError};
///
/// # fn redirect_to(_: &str) {}
/// fn to_the_sign_in_page() -> Result<SignIn, SignInError> {
///     let sign_in = AuthorizationCode::new("8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11")
///         .authority(Authority::tenant("contoso.onmicrosoft.com"))
///         .redirect_uri("https://app.example.com/signed-in")
///         .client_secret("the secret's value")
///         .begin()?;
///     redirect_to(sign_in.url());
///     Ok(sign_in)
/// }
///
/// /// Of `/signed-in`, with the path and query that were asked for.
/// async fn signed_in(sign_in: SignIn, target: &str) -> Result<EntraIdentity, SignInError> {
///     sign_in.finish(target).await
/// }
/// ```
///
/// `Debug` shows neither the URL nor what ties the answer to it.
pub struct SignIn {
    app: Arc<UserApp>,
    redirect_uri: String,
    proof: Proof,
    url: String,
}

impl SignIn {
    pub(super) fn new(flow: &AuthorizationCode, redirect_uri: &str) -> Result<Self, SignInError> {
        let settings = &flow.settings;
        let app = UserApp::new(&flow.client_id, flow.client_secret.as_ref(), settings)?;
        let proof = Proof::new()?;
        let page = settings.authority.user_url("authorize")?;
        let mut url = Url::parse(&page)
            .map_err(|reason| ConfigError::invalid("authority", reason, "one that makes a URL"))?;
        {
            let mut query = url.query_pairs_mut();
            query
                .append_pair("client_id", &app.client_id)
                .append_pair("response_type", "code")
                .append_pair("response_mode", "query")
                .append_pair("redirect_uri", redirect_uri)
                .append_pair("scope", &app.scopes)
                .append_pair("state", proof.state.expose())
                .append_pair("nonce", proof.nonce.expose())
                .append_pair("code_challenge", &proof.challenge())
                // Left out, it would mean `plain`.
                .append_pair("code_challenge_method", "S256");
            if let Some(prompt) = flow.prompt {
                query.append_pair("prompt", prompt.as_str());
            }
            if let Some(user) = &flow.login_hint {
                query.append_pair("login_hint", user);
            }
        }
        Ok(Self {
            app: Arc::new(app),
            redirect_uri: redirect_uri.to_owned(),
            proof,
            url: url.into(),
        })
    }

    /// The sign-in page, for a browser. Good for one sign-in.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Checks what came back and redeems the code. `redirected` is the address
    /// that the browser was sent to: the whole URL, its path and query, or its
    /// query. A form post's body (`response_mode=form_post`) will do too.
    ///
    /// The identity has the first token already; each one after it is asked
    /// for with the refresh token, of which the newest is kept.
    ///
    /// # Errors
    /// [`SignInError::ForeignState`] for a redirect that is not of this
    /// sign-in, which is safe to ignore and go on waiting;
    /// [`SignInError::Cancelled`]; [`SignInError::Malformed`];
    /// [`SignInError::ForeignNonce`]; [`SignInError::Provider`] when the
    /// identity service refused, or gave no refresh token. After one of kind
    /// [`Unavailable`](redis_authx::ErrorKind::Unavailable),
    /// [`Timeout`](redis_authx::ErrorKind::Timeout) or
    /// [`Throttled`](redis_authx::ErrorKind::Throttled) the same redirect may be
    /// given again: a code lives for ten minutes and is good for one
    /// redemption. After any other, begin again.
    ///
    /// A first access token that can't be used is no error here: the identity
    /// asks for another, and reports what is wrong if that is no better.
    ///
    /// # Cancel safety
    /// When the future is dropped the code may have been redeemed, and then
    /// its tokens are lost: begin again.
    pub async fn finish(&self, redirected: &str) -> Result<EntraIdentity, SignInError> {
        let code = self.code(redirected)?;
        self.redeem(&code).await
    }

    /// The code in a redirect, if that is of this sign-in.
    pub(super) fn code(&self, redirected: &str) -> Result<Secret, SignInError> {
        redirected::code(redirected, &self.proof.state)
    }

    pub(super) async fn redeem(&self, code: &Secret) -> Result<EntraIdentity, SignInError> {
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.proof.verifier.expose()),
        ];
        let reply = self.app.ask(&grant).await?;
        self.check_nonce(&reply)?;
        let received = Moment::new(Instant::now(), SystemTime::now());
        Ok(identity(Arc::clone(&self.app), reply, received)?)
    }

    /// OpenID Connect Core §3.1.3.7. The token came from the service itself,
    /// over TLS, so that its signature says nothing new.
    fn check_nonce(&self, reply: &Reply) -> Result<(), SignInError> {
        let claims = reply.id_token.as_ref().map(|token| Claims::parse(token));
        match claims {
            Some(Ok(claims)) if claims.get("nonce") == Some(self.proof.nonce.expose()) => Ok(()),
            _ => Err(SignInError::ForeignNonce),
        }
    }
}

impl fmt::Debug for SignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignIn")
            .field("app", &self.app)
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}
