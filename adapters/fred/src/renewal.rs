use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fred::clients::{Client, ExclusivePool, Pool};
use fred::interfaces::ClientLike;
use fred::types::config::{Config, ConnectionConfig};
use redis_authx::{ConfigError, Credentials, ReauthPolicy, Runtime, Spawner as _};
use redis_authx_session::Reauthenticator;
use tokio::sync::Notify;

use super::connections::{ConnectionReport, Connections, Reports};
use super::node::Site;
use super::plaintext::Guard;
use super::provider::{Provider, Sentinels};
use super::served::Served;
#[cfg(feature = "subscriber-client")]
use super::showing::Showing;
use super::showing::Showings;
use super::watch::{Events, Watch};
use super::weak::WeakClient;

/// Keeps fred's clients logged in: with every new token, for as long as each of
/// them lives.
///
/// A handle, cheap to clone. One task re-authenticates all connections of all
/// its clients, spread over time, and one small task follows each client. They
/// end with the clients, or when the token manager stops: clients then work
/// until their token expires.
///
/// New code needs it only for its settings and for
/// [`connections`](Self::connections), and gives it to
/// [`BuilderExt::renewal`](crate::BuilderExt::renewal). A program that makes
/// its clients itself has two lines to add:
///
/// ```no_run
/// use fred::prelude::*;
/// use redis_authx_fred::Renewal;
/// # async fn example(manager: redis_authx::TokenManager) -> Result<(), Box<dyn std::error::Error>> {
/// let renewal = Renewal::new(manager.credentials())?;
/// let mut config = Config::from_url("rediss://name.region.redis.azure.net:10000")?;
///
/// renewal.provide(&mut config)?; // log in with tokens …
/// let pool = Pool::new(config, None, None, Some(ReconnectPolicy::default()), 8)?;
/// renewal.attach_pool(&pool)?; // … and stay logged in
/// pool.init().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Renewal(Arc<Inner>);

struct Inner {
    reauth: Reauthenticator,
    showings: Showings,
    allow_plaintext: bool,
    clients: Mutex<Vec<Weak<dyn Reports>>>,
}

impl Renewal {
    /// With defaults for all settings.
    ///
    /// # Errors
    /// As [`RenewalBuilder::build`].
    pub fn new(credentials: Credentials) -> Result<Self, ConfigError> {
        Self::builder(credentials).build()
    }

    /// [`new`](Self::new) with more to set.
    pub fn builder(credentials: Credentials) -> RenewalBuilder {
        RenewalBuilder {
            credentials,
            runtime: None,
            policy: ReauthPolicy::default(),
            allow_plaintext: false,
        }
    }

    /// Has every client that is made with `config` log in with the newest token:
    /// sets fred's `credential_provider`.
    ///
    /// A connection waits for the first token at most 8 s, four fifths of
    /// fred's default `internal_command_timeout`; while a valid one is held, it
    /// does not wait.
    ///
    /// # Errors
    /// [`ConfigError`] for a configuration with a user name or password, or
    /// that would have tokens sent in clear text.
    pub fn provide(&self, config: &mut Config) -> Result<(), ConfigError> {
        self.provide_for(config, &ConnectionConfig::default(), None)
    }

    pub(crate) fn provide_for(
        &self,
        config: &mut Config,
        connection: &ConnectionConfig,
        served: Option<Arc<Served>>,
    ) -> Result<(), ConfigError> {
        let guard = self.guard(config)?;
        let sentinels = Sentinels::of(&config.server);
        config.credential_provider = Some(Arc::new(Provider::new(
            self.credentials().clone(),
            guard,
            connection.internal_command_timeout,
            served,
            sentinels,
        )));
        Ok(())
    }

    /// Takes care of a client, connected or not, until it is quit and dropped:
    /// once, whatever clones there are of it. Its configuration must be one that
    /// [`provide`](Self::provide) was called with, and it should have a
    /// reconnect policy.
    ///
    /// # Errors
    /// When the runtime can't run the client's task: tokio's outside a tokio
    /// runtime. The client is not re-authenticated then.
    pub fn attach(&self, client: &Client) -> Result<(), ConfigError> {
        self.follow(client, None)
    }

    /// [`attach`](Self::attach)es every client of a pool.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    pub fn attach_pool(&self, pool: &Pool) -> Result<(), ConfigError> {
        let mut clients = pool.clients().iter();
        clients.try_for_each(|client| self.attach(client))
    }

    /// [`attach`](Self::attach)es every client of an exclusive pool. Waits for
    /// those that are in use.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    ///
    /// # Cancel safety
    /// Some of the clients may have been attached: attaching those again would
    /// have them re-authenticated twice.
    pub async fn attach_exclusive_pool(&self, pool: &ExclusivePool) -> Result<(), ConfigError> {
        for client in pool.clients() {
            let client = client.lock().await.clone();
            self.attach(&client)?;
        }
        Ok(())
    }

    /// [`attach`](Self::attach)es a subscriber of fred's own. Feature
    /// `subscriber-client`.
    ///
    /// Over RESP2 it is reconnected before its token expires, and what is
    /// published in these milliseconds is lost: an
    /// [`AuthSubscriber`](crate::AuthSubscriber) loses nothing.
    ///
    /// # Errors
    /// As [`attach`](Self::attach).
    #[cfg(feature = "subscriber-client")]
    pub fn attach_subscriber(
        &self,
        client: &fred::clients::SubscriberClient,
    ) -> Result<(), ConfigError> {
        self.attach(&client.to_client())
    }

    /// How the live connections of all its clients are doing.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionReport> {
        let clients: Vec<_> = {
            let clients = self.0.clients();
            clients.iter().filter_map(Weak::upgrade).collect()
        };
        clients.iter().flat_map(|client| client.reports()).collect()
    }

    /// The credentials that clients log in with.
    #[must_use]
    pub fn credentials(&self) -> &Credentials {
        self.0.reauth.credentials()
    }

    /// Whether a client with this configuration may send a server its token.
    pub(crate) fn guard(&self, config: &Config) -> Result<Guard, ConfigError> {
        let guard = Guard::new(config, self.0.allow_plaintext);
        guard.check(config)?;
        Ok(guard)
    }

    #[cfg(feature = "subscriber-client")]
    pub(crate) fn reauth(&self) -> &Reauthenticator {
        &self.0.reauth
    }

    /// Which tokens the servers of a configuration are known to take.
    #[cfg(feature = "subscriber-client")]
    pub(crate) fn showing(&self, config: &Config) -> Arc<Showing> {
        self.0.showings.of(&config.server)
    }

    /// Has its connections among the [`connections`](Self::connections).
    pub(crate) fn list(&self, client: Weak<dyn Reports>) {
        let mut clients = self.0.clients();
        clients.retain(|client| client.strong_count() > 0);
        clients.push(client);
    }

    pub(crate) fn follow(
        &self,
        client: &Client,
        served: Option<Arc<Served>>,
    ) -> Result<(), ConfigError> {
        let connections = Connections::new(client.id(), self.0.reauth.clone());
        let connections = Arc::new(connections);
        self.list(Arc::<Connections>::downgrade(&connections));
        let watch = Watch {
            site: Arc::new(Site {
                client: WeakClient::of(client),
                runtime: Arc::clone(self.0.reauth.runtime()),
                showing: self.0.showings.of(&client.client_config().server),
                allow_plaintext: self.0.allow_plaintext,
                gone: Notify::new(),
            }),
            connections,
            credentials: self.credentials().clone(),
            served,
        };
        let events = Events::of(client);
        self.0.reauth.runtime().spawn(Box::pin(watch.run(events)))
    }
}

impl Inner {
    fn clients(&self) -> MutexGuard<'_, Vec<Weak<dyn Reports>>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Renewal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renewal")
            .field("credentials", self.credentials())
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}

/// Builds a [`Renewal`]; everything has a default.
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct RenewalBuilder {
    credentials: Credentials,
    runtime: Option<Arc<dyn Runtime>>,
    policy: ReauthPolicy,
    allow_plaintext: bool,
}

impl RenewalBuilder {
    /// Where its tasks run: a tokio runtime that lives as long as the clients.
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

    /// Lets tokens be sent to a host that is not this machine without TLS.
    /// Whoever reads one can log in with it until it expires. Default: refused.
    ///
    /// With TLS, whether the host is verified is up to the configuration's
    /// connector: fred's own verifies it.
    pub const fn allow_plaintext(mut self, allow: bool) -> Self {
        self.allow_plaintext = allow;
        self
    }

    /// Starts the task that re-authenticates.
    ///
    /// # Errors
    /// [`ConfigError`] when no runtime is known, or the runtime can't run a task:
    /// tokio's outside a tokio runtime.
    pub fn build(self) -> Result<Renewal, ConfigError> {
        let runtime = self
            .runtime
            .or_else(|| self.credentials.runtime())
            .ok_or_else(|| {
                ConfigError::missing(
                    "runtime",
                    "a token manager that was spawned on tokio, or a call of runtime()",
                )
            })?;
        let reauth = Reauthenticator::spawn(&self.credentials, self.policy, runtime)?;
        Ok(Renewal(Arc::new(Inner {
            reauth,
            showings: Showings::default(),
            allow_plaintext: self.allow_plaintext,
            clients: Mutex::default(),
        })))
    }
}
