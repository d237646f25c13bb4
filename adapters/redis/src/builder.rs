use std::sync::Arc;
use std::time::Duration;

use redis::IntoConnectionInfo;
use redis_authx::reauth::{ReauthPolicy, Reauthenticator};
use redis_authx::{ConfigError, Credentials, Runtime};

use crate::client::{AuthClient, Inner};
use crate::target;

/// Builds an [`AuthClient`]; everything but the target has a default.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct AuthClientBuilder<T> {
    target: T,
    credentials: Credentials,
    runtime: Option<Arc<dyn Runtime>>,
    policy: ReauthPolicy,
    allow_plaintext: bool,
    login_timeout: Duration,
    reconnect_wait: Duration,
}

impl<T: IntoConnectionInfo> AuthClientBuilder<T> {
    pub(crate) fn new(target: T, credentials: Credentials) -> Self {
        Self {
            target,
            credentials,
            runtime: None,
            policy: ReauthPolicy::default(),
            allow_plaintext: false,
            login_timeout: Duration::from_secs(10),
            reconnect_wait: Duration::from_secs(5),
        }
    }

    /// Where the re-authentication runs. Default: the runtime that the token
    /// manager was spawned on.
    pub fn runtime(mut self, runtime: impl Runtime) -> Self {
        self.runtime = Some(Arc::new(runtime));
        self
    }

    /// When and how connections are re-authenticated. Default:
    /// [`ReauthPolicy::default`].
    pub fn reauth_policy(mut self, policy: ReauthPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Lets tokens be sent to a host that is not this machine without TLS, or
    /// with TLS that does not verify the host. Whoever reads one can log in
    /// with it until it expires. Default: refused.
    pub const fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// How long the opening of a connection waits for the first token, and for
    /// a fresh one where the server refused the first. Default 10 s.
    pub const fn login_timeout(mut self, limit: Duration) -> Self {
        self.login_timeout = limit;
        self
    }

    /// How long a command on a connection of [`AuthClient::manager`] waits
    /// for a lost connection to be back. Default 5 s.
    pub const fn reconnect_wait(mut self, limit: Duration) -> Self {
        self.reconnect_wait = limit;
        self
    }

    /// Checks the settings and starts the task that re-authenticates.
    ///
    /// # Errors
    /// [`ConfigError`] for a target that is no Redis URL, holds a user name or
    /// password, or would have tokens sent in clear text; and where no runtime
    /// is known.
    pub fn build(self) -> Result<AuthClient, ConfigError> {
        let info = target::parse(self.target, self.allow_plaintext)?;
        let runtime = self
            .runtime
            .or_else(|| self.credentials.runtime())
            .ok_or_else(|| {
                ConfigError::missing(
                    "runtime",
                    "a token manager that was spawned on one, or a call of runtime()",
                )
            })?;
        let reauth = Reauthenticator::spawn(&self.credentials, self.policy, Arc::clone(&runtime));
        Ok(AuthClient(Arc::new(Inner {
            info,
            credentials: self.credentials,
            runtime,
            reauth,
            login_timeout: self.login_timeout,
            reconnect_wait: self.reconnect_wait,
        })))
    }
}
