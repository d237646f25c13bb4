//! A person signs in with a browser: the authorization code grant (RFC 6749
//! §4.1) with PKCE (RFC 7636).

mod listener;
mod loopback;
mod proof;
mod redirect_uri;
mod redirected;
mod sign_in;

use std::time::Duration;

use redis_authx::ConfigError;

use super::settings::Settings;
use crate::SignInError;
use crate::secret::Secret;
pub use loopback::LoopbackSignIn;
pub use sign_in::SignIn;

const TIME_LIMIT: Duration = Duration::from_secs(300);

/// Signs a person in with a browser, once; from then on the token is renewed
/// without them. The authorization code flow with PKCE (Microsoft Learn,
/// "OAuth 2.0 authorization code flow").
///
/// Programs on the person's machine [`listen`](Self::listen) for the redirect:
///
/// ```no_run
/// use redis_authx::TokenManager;
/// use redis_authx_entraid::{Authority, AuthorizationCode};
/// # use redis_authx::{Clock, Runtime, testing::ManualClock};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// # let runtime = ManualClock::new();
/// let mut sign_in = AuthorizationCode::new("8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11")
///     .authority(Authority::tenant("contoso.onmicrosoft.com"))
///     .listen()?;
/// println!("Sign in at {}", sign_in.url());
/// let identity = sign_in.finish(&runtime).await?;
/// let manager = TokenManager::builder(identity).spawn(runtime)?;
/// # Ok(())
/// # }
/// ```
///
/// Web applications [`begin`](Self::begin), send the browser away, and give
/// what comes back to [`SignIn::finish`]. One `AuthorizationCode` serves any
/// number of sign-ins.
///
/// # What is asked for
/// The one scope for Redis, and beside it `offline_access` for the refresh
/// token, `openid` for the id token whose `nonce` ties the answer to this
/// sign-in, and `profile`, on which a person's `oid` depends. These three are
/// of no resource. A second resource, such as Microsoft Graph's `User.Read`,
/// would turn the token into one that Redis refuses, so none can be added.
///
/// # What protects the sign-in
/// A fresh verifier, `state` and `nonce` for each, from the operating system's
/// random numbers, none of which leaves this process but as a challenge or to
/// be echoed. The challenge is always of method `S256`. A redirect with
/// another `state`, and tokens with another `nonce`, are refused.
///
/// # In the app registration
/// The redirect URI, path and all, for the platform "Mobile and desktop
/// applications" (a public client, without a secret) or "Web" (with
/// [`client_secret`](Self::client_secret)); "Single-page application" won't
/// do. The port of `http://localhost` does not matter (Microsoft Learn,
/// "Redirect URI (reply URL) outline and restrictions"). And the people who
/// sign in must be Redis users: their object ids.
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthorizationCode {
    client_id: String,
    client_secret: Option<Secret>,
    redirect_uri: Option<String>,
    prompt: Option<Prompt>,
    login_hint: Option<String>,
    time_limit: Duration,
    settings: Settings,
}

/// What the sign-in page does, whatever the browser remembers (OpenID Connect
/// Core §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Prompt {
    /// Asks for consent, even where it was given.
    Consent,
    /// Asks for the password, even of someone who is signed in.
    Login,
    /// Shows nothing: who is not signed in, or would have to be asked, gets an
    /// error of kind [`Rejected`](redis_authx::ErrorKind::Rejected).
    None,
    /// Asks which of several accounts.
    SelectAccount,
}

impl Prompt {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Consent => "consent",
            Self::Login => "login",
            Self::None => "none",
            Self::SelectAccount => "select_account",
        }
    }
}

impl AuthorizationCode {
    /// The application (client) id of the app registration.
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            client_secret: None,
            redirect_uri: None,
            prompt: None,
            login_hint: None,
            time_limit: TIME_LIMIT,
            settings: Settings::default(),
        }
    }

    authority_setter! {
        /// Whose tenant the person signs in to. Default:
        /// [`Authority::Default`](crate::Authority::Default), any tenant,
        /// which only works for an application that is registered as
        /// multitenant.
    }

    /// Where the browser is sent with the answer: `https`, `http` to
    /// `localhost` or `127.0.0.1`, or a scheme of the application's own; at
    /// most 256 characters, no fragment. It must be registered.
    ///
    /// [`begin`](Self::begin) needs it. [`listen`](Self::listen) takes
    /// `http://localhost` by default, and only `http` without a query; it puts
    /// a free port in where none is named.
    pub fn redirect_uri(mut self, uri: impl Into<String>) -> Self {
        self.redirect_uri = Some(uri.into());
        self
    }

    /// The application's secret: for a web application, which is a
    /// confidential client. Default: none, for a public client.
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.client_secret = Some(Secret::new(secret));
        self
    }

    /// What the sign-in page does. Default: what it finds best; someone who is
    /// signed in may be let through without a question.
    pub fn prompt(mut self, prompt: Prompt) -> Self {
        self.prompt = Some(prompt);
        self
    }

    /// The user name to fill in on the sign-in page. Default: none.
    pub fn login_hint(mut self, user: impl Into<String>) -> Self {
        self.login_hint = Some(user.into());
        self
    }

    /// How long [`LoopbackSignIn::finish`] waits for the person. Default:
    /// 5 min.
    pub const fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    token_setters! {}

    /// Begins a sign-in whose redirect you receive. Sends nothing.
    ///
    /// # Errors
    /// [`SignInError::Config`] names the setting that can't work: `client_id`,
    /// `client_secret`, `authority.tenant`, `authority.url`, `redirect_uri`,
    /// `scope` or `username_claim`. [`SignInError::NoRandomness`].
    pub fn begin(&self) -> Result<SignIn, SignInError> {
        let uri = self.redirect_uri.as_deref().ok_or_else(|| {
            ConfigError::missing(
                "redirect_uri",
                "the URI that the app registration sends browsers to",
            )
        })?;
        redirect_uri::check(uri)?;
        SignIn::new(self, uri)
    }

    /// Begins a sign-in whose redirect is received on this machine: opens a
    /// port on its loopback addresses, and answers nothing there until
    /// [`LoopbackSignIn::finish`] is called. Sends nothing.
    ///
    /// # Errors
    /// As for [`begin`](Self::begin), and [`SignInError::Listener`] when the
    /// port can't be opened.
    pub fn listen(&self) -> Result<LoopbackSignIn, SignInError> {
        LoopbackSignIn::new(self)
    }
}
