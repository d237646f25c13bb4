use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::redis::IntoConnectionInfo;
#[cfg(any(feature = "cluster", feature = "sentinel"))]
use super::redis::{ConnectionInfo, RedisResult};
use redis_authx::{ConfigError, Credentials, ReauthPolicy, Runtime};
use redis_authx_session::Reauthenticator;

use super::client::{AuthClient, Inner};
use super::target;

/// Any limit beyond it is as good as none, and could overflow: ten years.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// Builds an [`AuthClient`]; everything but the target has a default.
#[must_use = "a builder does nothing until it is built"]
pub struct AuthClientBuilder<T> {
    target: T,
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    more_nodes: Vec<RedisResult<ConnectionInfo>>,
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
            #[cfg(any(feature = "cluster", feature = "sentinel"))]
            more_nodes: Vec::new(),
            credentials,
            runtime: None,
            policy: ReauthPolicy::default(),
            allow_plaintext: false,
            login_timeout: Duration::from_secs(10),
            reconnect_wait: Duration::from_secs(5),
        }
    }

    /// Nodes to begin with beside the target, for when it is down: further ones
    /// of the same [cluster](AuthClient::cluster), or further
    /// [sentinels](AuthClient::sentinel). Each is a target as the first; no
    /// other kind of connection uses them. Default: none. Feature `cluster` or
    /// `sentinel`.
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub fn initial_nodes<N: IntoConnectionInfo>(
        mut self,
        nodes: impl IntoIterator<Item = N>,
    ) -> Self {
        let nodes = nodes
            .into_iter()
            .map(IntoConnectionInfo::into_connection_info);
        self.more_nodes.extend(nodes);
        self
    }

    /// Where the re-authentication runs, and the sockets of connections that
    /// it has replaced: a tokio runtime that lives as long as the connections.
    /// Default: the runtime that the token manager was spawned on.
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

    /// How long the opening of a connection waits for the first token, and as
    /// long again for a fresh one where the server refused the first.
    /// Connecting itself has redis-rs's `connection_timeout`, 1 s by default.
    /// Default 10 s: what one token request may take by default.
    pub const fn login_timeout(mut self, limit: Duration) -> Self {
        self.login_timeout = limit;
        self
    }

    /// How long a command on a connection of [`AuthClient::manager`], or on any that
    /// was given up out of step, waits for a lost connection to be back, before
    /// redis-rs's `response_timeout` begins. Zero: not at all. Default 5 s: longer than a reconnect takes,
    /// shorter than callers wait for an answer.
    pub const fn reconnect_wait(mut self, limit: Duration) -> Self {
        self.reconnect_wait = limit;
        self
    }

    /// Checks the settings and starts the task that re-authenticates.
    ///
    /// # Errors
    /// [`ConfigError`] for a target that is no Redis URL, holds a user name or
    /// password, or would have tokens sent in clear text; and when no runtime is
    /// known, or the runtime can't run a task (tokio's outside a tokio runtime).
    pub fn build(self) -> Result<AuthClient, ConfigError> {
        let info = target::parse(self.target, self.allow_plaintext)?;
        #[cfg(any(feature = "cluster", feature = "sentinel"))]
        let more_nodes = {
            let nodes = self.more_nodes.into_iter();
            nodes
                .map(|node| target::check(node, self.allow_plaintext))
                .collect::<Result<_, _>>()?
        };
        let runtime = self
            .runtime
            .or_else(|| self.credentials.runtime())
            .ok_or_else(|| {
                ConfigError::missing(
                    "runtime",
                    "a token manager that was spawned on one, or a call of runtime()",
                )
            })?;
        let reauth = Reauthenticator::spawn(&self.credentials, self.policy, runtime)?;
        Ok(AuthClient(Arc::new(Inner {
            info: Arc::new(info),
            #[cfg(any(feature = "cluster", feature = "sentinel"))]
            more_nodes,
            #[cfg(any(feature = "cluster", feature = "sentinel"))]
            allow_plaintext: self.allow_plaintext,
            reauth,
            #[cfg(feature = "pubsub")]
            accepted: Arc::default(),
            login_timeout: self.login_timeout.min(FOR_EVER),
            reconnect_wait: self.reconnect_wait.min(FOR_EVER),
        })))
    }
}

impl<T> fmt::Debug for AuthClientBuilder<T> {
    /// Without the target, which may hold a password until it is refused.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthClientBuilder")
            .field("credentials", &self.credentials)
            .field("policy", &self.policy)
            .field("allow_plaintext", &self.allow_plaintext)
            .field("login_timeout", &self.login_timeout)
            .field("reconnect_wait", &self.reconnect_wait)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use redis_authx::testing::ManualClock;
    use redis_authx::{StaticToken, Token, TokenManager};

    use super::*;

    #[test]
    fn a_password_in_the_target_is_not_shown() {
        let identity = StaticToken::new(Token::new("app", "s3cret"));
        let (manager, _driver) = TokenManager::builder(identity).build(&ManualClock::new());
        let url = "rediss://app:hunter2@cache.example";
        let builder = AuthClient::builder(url, manager.credentials());
        let shown = format!("{builder:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert!(!shown.contains("s3cret"), "{shown}");
    }
}
