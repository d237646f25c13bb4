use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::redis::{
    AsyncConnectionConfig, ConnectionInfo, IntoConnectionInfo, RedisFuture, RedisResult,
};
use redis_authx::{ConfigError, Credentials};
use redis_authx_session::Reauthenticator;

use super::builder::AuthClientBuilder;
use super::connection::{AuthConnection, Connector, Server, Shared, Slot};
#[cfg(feature = "pubsub")]
use super::pubsub::Accepted;

/// Opens connections that stay logged in: in the place of [`redis::Client`].
///
/// A handle, cheap to clone. One task re-authenticates all its connections; it
/// ends when the last handle and the last connection are dropped, or the token
/// manager stops. Connections then work until their token expires.
///
/// They may be opened and used from several tokio runtimes. Replacements are
/// opened on [the one](AuthClientBuilder::runtime) of that task: when it ends,
/// nothing is renewed any more.
#[derive(Clone)]
pub struct AuthClient(pub(crate) Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) info: Arc<ConnectionInfo>,
    /// Nodes to begin with beside it: of a cluster, or sentinels.
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) more_nodes: Vec<ConnectionInfo>,
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) allow_plaintext: bool,
    pub(crate) reauth: Reauthenticator,
    /// Of its subscribers.
    #[cfg(feature = "pubsub")]
    pub(crate) accepted: Arc<Accepted>,
    pub(crate) login_timeout: Duration,
    pub(crate) reconnect_wait: Duration,
}

impl AuthClient {
    /// A client of the server at `target`, a URL like
    /// `rediss://name.region.redis.azure.net:10000` or a
    /// [`ConnectionInfo`] (as [`redis::Client::build_with_tls`] makes it of a
    /// root certificate of your own). Opens no connection yet.
    ///
    /// # Errors
    /// As [`AuthClientBuilder::build`].
    pub fn open(
        target: impl IntoConnectionInfo,
        credentials: Credentials,
    ) -> Result<Self, ConfigError> {
        Self::builder(target, credentials).build()
    }

    /// [`open`](Self::open) with more to set.
    pub fn builder<T: IntoConnectionInfo>(
        target: T,
        credentials: Credentials,
    ) -> AuthClientBuilder<T> {
        AuthClientBuilder::new(target, credentials)
    }

    /// Opens a connection to share and keep, in the place of redis-rs's
    /// `MultiplexedConnection`. A command that meets a lost connection fails
    /// at once, while it is being replaced.
    ///
    /// # Errors
    /// [`ErrorKind::AuthenticationFailed`](redis::ErrorKind) when no token comes
    /// within the [`login_timeout`](AuthClientBuilder::login_timeout); else
    /// redis-rs's own, when the server can't be reached or refuses a fresh
    /// token as well.
    ///
    /// # Panics
    /// As redis-rs does: outside a tokio runtime, unless built with `smol`.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn multiplexed(&self) -> RedisResult<AuthConnection> {
        self.multiplexed_with_config(AsyncConnectionConfig::new())
            .await
    }

    /// [`multiplexed`](Self::multiplexed) with redis-rs's own settings, which
    /// its replacements have as well. A credentials provider in them must not
    /// be set: it would log in beside this client.
    ///
    /// A `response_timeout`, 500 ms unless set otherwise, does not count for
    /// [commands that block](AuthConnection#commands-that-block).
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed); its panics too.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn multiplexed_with_config(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<AuthConnection> {
        self.connect(config, Duration::ZERO).await
    }

    /// Opens a connection to share and keep, in the place of redis-rs's
    /// `ConnectionManager`. A command that meets a lost connection waits until
    /// it has been replaced, at most for the
    /// [`reconnect_wait`](AuthClientBuilder::reconnect_wait).
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed); its panics too.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn manager(&self) -> RedisResult<AuthConnection> {
        self.manager_with_config(AsyncConnectionConfig::new()).await
    }

    /// [`manager`](Self::manager) with redis-rs's own settings, as
    /// [`multiplexed_with_config`](Self::multiplexed_with_config).
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed); its panics too.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn manager_with_config(
        &self,
        config: AsyncConnectionConfig,
    ) -> RedisResult<AuthConnection> {
        self.connect(config, self.0.reconnect_wait).await
    }

    /// The credentials that its connections log in with.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        self.0.reauth.credentials()
    }

    fn connect(
        &self,
        config: AsyncConnectionConfig,
        wait: Duration,
    ) -> RedisFuture<'_, AuthConnection> {
        let connector = Connector::new(Server::At(Arc::clone(&self.0.info)), config);
        self.log_in(connector, wait, self.0.login_timeout)
    }

    /// Opens a connection with the token in hand, or the first to come within
    /// `limit`.
    ///
    /// Boxed: an `async fn` is compiled by every crate that awaits it, and this
    /// one has redis-rs's connection in it.
    pub(crate) fn log_in(
        &self,
        connector: Connector,
        wait: Duration,
        limit: Duration,
    ) -> RedisFuture<'_, AuthConnection> {
        Box::pin(async move {
            let runtime = self.0.reauth.runtime();
            let (connection, token) = connector.log_in(self.credentials(), runtime, limit).await?;
            let slot = Slot::new(connector, Arc::clone(runtime), connection);
            let shared = Shared::new(self.clone(), slot, wait, &token);
            Ok(AuthConnection::new(shared))
        })
    }
}

impl fmt::Debug for AuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthClient")
            .field("addr", self.0.info.addr())
            .field("credentials", self.credentials())
            .finish_non_exhaustive()
    }
}
