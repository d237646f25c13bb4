//! Connections to the servers that sentinels watch.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::redis;
use super::redis::sentinel::SentinelServerType;
use super::redis::{AsyncConnectionConfig, ConnectionInfo, RedisResult};

use super::client::AuthClient;
use super::connection::{AuthConnection, Connector, Server, Shared, open};
use super::{error, target};

mod ask;
mod login;
mod lookup;
mod watch;

pub(super) use ask::Address;
pub use login::SentinelLogin;
pub(super) use lookup::Lookup;
use watch::Watch;

impl AuthClient {
    /// The servers that Redis Sentinel watches under this name, in the place of
    /// redis-rs's `SentinelClient`. The target is a sentinel, and so are the
    /// other [`initial_nodes`](crate::AuthClientBuilder::initial_nodes); its
    /// database, protocol, TLS and root certificate are the servers' as well.
    /// Opens no connection yet. Feature `sentinel`.
    pub fn sentinel(&self, service_name: impl Into<String>) -> AuthSentinelClient {
        AuthSentinelClient {
            client: self.clone(),
            service_name: service_name.into(),
            server_type: SentinelServerType::Master,
            login: SentinelLogin::None,
            watch: Arc::default(),
        }
    }
}

/// Opens connections to the master, or a replica, of a service that sentinels
/// watch. Made by [`AuthClient::sentinel`]; cheap to clone.
///
/// A connection follows the service: whenever it has to be replaced, the
/// sentinels are asked anew, and the server they name must itself say that it
/// is what they take it for (`ROLE`). As long as there are connections to a
/// master, all sentinels are listened to for `+switch-master`: when they tell of
/// another, the connections are replaced. So they are when the old one closes
/// them, or answers `READONLY`; a command that was answered so fails.
///
/// The sentinels are asked one after the other, the one that answered last time
/// first; the next as soon as one has failed or not answered within 200 ms.
///
/// What a sentinel says is believed. So it too must not be spoken to in clear
/// text, except on this machine or with
/// [`allow_plaintext`](crate::AuthClientBuilder::allow_plaintext): who can pose
/// as one names a server of their own, and is sent the token.
#[derive(Clone)]
#[must_use = "a client does nothing until a connection is opened"]
pub struct AuthSentinelClient {
    client: AuthClient,
    service_name: String,
    server_type: SentinelServerType,
    login: SentinelLogin,
    /// Of the connections to the master, as long as there are any.
    watch: Arc<Mutex<Weak<Watch>>>,
}

impl AuthSentinelClient {
    /// Whether connections are to the master, or each to a replica picked at
    /// random. Default: the master.
    pub fn server_type(mut self, server_type: SentinelServerType) -> Self {
        self.server_type = server_type;
        self
    }

    /// What the sentinels themselves are told before they answer. Default:
    /// nothing.
    pub fn sentinel_login(mut self, login: SentinelLogin) -> Self {
        self.login = login;
        self.watch = Arc::default();
        self
    }

    /// As [`AuthClient::multiplexed`]: commands fail at once while the
    /// connection is being replaced.
    ///
    /// # Errors
    /// As there, and
    /// [`MasterNameNotFoundBySentinel`](redis::ErrorKind::MasterNameNotFoundBySentinel)
    /// or
    /// [`NoValidReplicasFoundBySentinel`](redis::ErrorKind::NoValidReplicasFoundBySentinel).
    /// The last one's when no sentinel answers. While the server that they name
    /// is not to be had, it tries for 5 s.
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

    /// As [`AuthClient::multiplexed_with_config`].
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

    /// As [`AuthClient::manager`]: commands wait while the connection is being
    /// replaced.
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed); its panics too.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn manager(&self) -> RedisResult<AuthConnection> {
        self.manager_with_config(AsyncConnectionConfig::new()).await
    }

    /// As [`AuthClient::manager_with_config`].
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
        self.connect(config, self.client.0.reconnect_wait).await
    }

    async fn connect(
        &self,
        config: AsyncConnectionConfig,
        wait: Duration,
    ) -> RedisResult<AuthConnection> {
        let inner = &self.client.0;
        let watch = matches!(self.server_type, SentinelServerType::Master).then(|| self.watch());
        let watch = watch.transpose()?;
        let lookup = Lookup::new(
            self.sentinels(),
            self.service_name.clone(),
            self.server_type.clone(),
            self.login.clone(),
            inner.allow_plaintext,
            Arc::clone(inner.reauth.runtime()),
            watch.clone(),
        );
        let connector = Connector::new(Server::Watched(Box::new(lookup)), config);
        let connection = self
            .client
            .log_in(connector, wait, inner.login_timeout)
            .await?;
        if let Some(watch) = watch {
            watch.add(&connection.shared);
        }
        Ok(connection)
    }

    fn sentinels(&self) -> Vec<ConnectionInfo> {
        let inner = &self.client.0;
        let sentinels = [&*inner.info].into_iter().chain(&inner.more_nodes);
        sentinels.cloned().collect()
    }

    fn watch(&self) -> RedisResult<Arc<Watch>> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watch) = watch.upgrade() {
            return Ok(watch);
        }
        let started = Watch::start(
            self.sentinels(),
            self.service_name.clone(),
            self.login.clone(),
            self.client.credentials().clone(),
            self.client.0.reauth.runtime(),
        )
        .map_err(error::not_spawned)?;
        *watch = Arc::downgrade(&started);
        Ok(started)
    }
}

impl fmt::Debug for AuthSentinelClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSentinelClient")
            .field("client", &self.client)
            .field("service_name", &self.service_name)
            .field("server_type", &self.server_type)
            .field("login", &self.login)
            .finish()
    }
}
