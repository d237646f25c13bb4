//! The running emulator.

use std::{
    fmt, fs,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{runtime::Handle, task::AbortHandle};

use crate::{
    AppCertificate, ClusterControl, EmulatorBuilder, EmulatorError, IdentityControl, RedisControl,
    SentinelControl, SignInControl,
    identity::{
        self, FederatedIssuer, IdentityState, People, Registered,
        issuer::{Ids, Issuer, Order, REDIS_RESOURCE},
        key::SigningKey,
        managed_identity::{self, ManagedIdentities},
    },
    listener, random,
    redis_side::RedisSide,
    temp_dir::TempDir,
    tls::{SelfSigned, Tls},
};

/// A running emulator: a local Microsoft Entra ID and a local Azure Managed
/// Redis.
///
/// Dropping it stops everything: listeners, connections, `redis-server`
/// children, files. Several may run in one process.
pub struct Emulator {
    identity_url: String,
    identity_plain_url: Option<String>,
    pub(crate) managed_identity_url: String,
    pub(crate) service_fabric: ServiceFabric,
    ca_pem: String,
    identity: Arc<IdentityControl>,
    pub(crate) state: Arc<IdentityState>,
    app_certificate: AppCertificate,
    folder: Mutex<Option<TempDir>>,
    redis: RedisSide,
    tasks: Vec<AbortHandle>,
}

/// Where Service Fabric's endpoint is, and how it is known.
pub(crate) struct ServiceFabric {
    pub(crate) url: String,
    pub(crate) thumbprint: String,
}

impl Emulator {
    /// Settings for an emulator to start.
    #[must_use]
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::default()
    }

    pub(crate) async fn start(builder: EmulatorBuilder) -> Result<Self, EmulatorError> {
        let runtime = Handle::try_current().map_err(|_| EmulatorError::NoRuntime)?;
        let tls = Tls::generate()?;
        let (identity_tls, tls_port) =
            listener::bind("TLS identity service", builder.identity_port)?;
        let identity_ipv6 = listener::bind_ipv6(tls_port);
        let identity_plain = if builder.plain_identity {
            Some(listener::bind(
                "plain identity service",
                builder.plain_identity_port,
            )?)
        } else {
            None
        };
        let (managed, managed_port) =
            listener::bind("managed identities", builder.managed_identity_port)?;
        let (fabric, fabric_port) = listener::bind("Service Fabric's identities", 0)?;
        let fabric_tls = SelfSigned::generate()?;
        let plain_port = identity_plain.as_ref().map(|(_, port)| *port);

        let ids = Ids {
            tenant: builder.tenant_id.clone(),
            client: builder.client_id.clone(),
            object: builder.object_id.clone(),
        };
        let issuer = Arc::new(Issuer::new(
            ids,
            SigningKey::new()?,
            builder.token_version,
            builder.fractional_expiry,
        ));
        let identity = Arc::new(IdentityControl::new(builder.token_lifetime));
        let app_certificate = AppCertificate::generate()?;
        let registered = Registered::from_pem(app_certificate.certificate_pem())?;
        identity.registration().add(registered);
        let (redis, serving) = RedisSide::start(&builder, &issuer, &tls.acceptor).await?;
        let state = Arc::new(IdentityState {
            issuer,
            control: Arc::clone(&identity),
            client_secret: builder.client_secret.map_or_else(random::secret, Ok)?,
            people: People {
                registration: builder.registration,
                ..People::default()
            },
            managed: ManagedIdentities::new()?,
            strict_assertions: builder.strict_assertions,
            tls_port,
            plain_port,
        });

        let mut emulator = Self {
            identity_url: format!("https://localhost:{tls_port}"),
            identity_plain_url: plain_port.map(|port| format!("http://127.0.0.1:{port}")),
            managed_identity_url: format!("http://127.0.0.1:{managed_port}"),
            service_fabric: ServiceFabric {
                url: format!("https://localhost:{fabric_port}"),
                thumbprint: fabric_tls.thumbprint,
            },
            ca_pem: tls.ca_pem,
            identity,
            state: Arc::clone(&state),
            app_certificate,
            folder: Mutex::new(None),
            redis,
            tasks: Vec::new(),
        };
        let tls = tls.acceptor;
        for task in serving {
            emulator.run(&runtime, task);
        }
        if let Some((listener, _)) = identity_plain {
            emulator.run(
                &runtime,
                identity::serve(listener, None, Arc::clone(&state)),
            );
        }
        for (listener, tls, routes) in [
            (managed, None, managed_identity::routes(Arc::clone(&state))),
            (
                fabric,
                Some(fabric_tls.acceptor),
                managed_identity::service_fabric_routes(Arc::clone(&state)),
            ),
        ] {
            let state = Arc::clone(&state);
            emulator.run(
                &runtime,
                identity::serve_routes(listener, tls, routes, state),
            );
        }
        for listener in [Some(identity_tls), identity_ipv6].into_iter().flatten() {
            let tls = Some(tls.clone());
            emulator.run(&runtime, identity::serve(listener, tls, Arc::clone(&state)));
        }
        Ok(emulator)
    }

    fn run(&mut self, runtime: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.push(runtime.spawn(task).abort_handle());
    }

    /// `redis://127.0.0.1:PORT`, without TLS; of several nodes the first one's.
    /// Azure has none for token log-in;
    /// for clients without TLS set-up.
    pub fn redis_url(&self) -> &str {
        &self.redis.url
    }

    /// `rediss://localhost:PORT`, with TLS by the CA of [`ca_pem`](Self::ca_pem);
    /// of several nodes the first one's.
    pub fn redis_tls_url(&self) -> &str {
        &self.redis.tls_url
    }

    /// `https://localhost:PORT`, the authority host; clients append the tenant.
    pub fn identity_url(&self) -> &str {
        &self.identity_url
    }

    /// `http://127.0.0.1:PORT`, if [`EmulatorBuilder::plain_identity`] was set.
    pub fn identity_plain_url(&self) -> Option<&str> {
        self.identity_plain_url.as_deref()
    }

    /// The certificate of the CA that has signed both TLS listeners', as PEM.
    /// Made anew for each emulator.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The tenant that the identity side serves.
    pub fn tenant_id(&self) -> &str {
        &self.state.issuer.ids.tenant
    }

    /// The client that may ask for tokens.
    pub fn client_id(&self) -> &str {
        &self.state.issuer.ids.client
    }

    /// The client's secret.
    pub fn client_secret(&self) -> &str {
        &self.state.client_secret
    }

    /// The client's certificate and its key: registered at the start, made anew
    /// for each emulator.
    pub fn app_certificate(&self) -> &AppCertificate {
        &self.app_certificate
    }

    /// A token of the foreign issuer that the client federates with, such as
    /// Kubernetes writes for a workload: it lives from now for `lifetime`, and
    /// five minutes more, by which clocks may differ.
    pub fn federated_token(&self, lifetime: Duration) -> String {
        let lifetime = lifetime.min(Duration::from_secs(1 << 32));
        FederatedIssuer::token(&self.state.issuer.key, lifetime)
    }

    /// Writes a [`federated_token`](Self::federated_token) of a day to a file
    /// that goes when the emulator goes, for `AZURE_FEDERATED_TOKEN_FILE`. A
    /// second call writes a new token to the same file.
    ///
    /// # Errors
    /// [`EmulatorError::Write`] if it can't be written.
    pub fn federated_token_file(&self) -> Result<PathBuf, EmulatorError> {
        let token = self.federated_token(Duration::from_secs(24 * 3600));
        self.write("federated-token", &token)
    }

    /// Writes the [`app_certificate`](Self::app_certificate) and its key to a
    /// file that goes when the emulator goes, for
    /// `AZURE_CLIENT_CERTIFICATE_PATH`.
    ///
    /// # Errors
    /// [`EmulatorError::Write`] if it can't be written.
    pub fn app_certificate_file(&self) -> Result<PathBuf, EmulatorError> {
        self.write("app.pem", &self.app_certificate.pem())
    }

    fn write(&self, name: &str, content: &str) -> Result<PathBuf, EmulatorError> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = match &mut *folder {
            Some(folder) => folder,
            none => none.insert(TempDir::create()?),
        };
        let path = folder.path().join(name);
        match fs::write(&path, content) {
            Ok(()) => Ok(path),
            Err(source) => Err(EmulatorError::Write {
                path,
                source: Arc::new(source),
            }),
        }
    }

    /// The Redis user name: the tokens' `oid`.
    pub fn object_id(&self) -> &str {
        &self.state.issuer.ids.object
    }

    /// Faults and counters of the identity side.
    pub fn identity(&self) -> &IdentityControl {
        &self.identity
    }

    /// What becomes of people who sign in, and how many did.
    pub fn sign_ins(&self) -> &SignInControl {
        &self.state.people.control
    }

    /// The nodes of a [`Store::Cluster`](crate::Store::Cluster); `None` for other stores.
    pub fn cluster(&self) -> Option<&ClusterControl> {
        self.redis.cluster.as_ref()
    }

    /// The nodes and sentinels of a [`Store::Sentinel`](crate::Store::Sentinel);
    /// `None` for other stores.
    pub fn sentinel(&self) -> Option<&SentinelControl> {
        self.redis.sentinel.as_ref()
    }

    /// Faults and counters of the Redis side.
    pub fn redis(&self) -> &RedisControl {
        &self.redis.control
    }

    /// A token for Redis with this lifetime, without asking the identity side:
    /// no fault touches it and no counter counts it, but it is the newest token
    /// for all that goes by the order of issue.
    ///
    /// A lifetime of zero gives a token that has expired, or does so within
    /// the second.
    pub fn issue_token(&self, lifetime: Duration) -> String {
        let order = Order {
            lifetime: lifetime.min(Duration::from_secs(1 << 32)),
            resource: REDIS_RESOURCE,
            user: None,
            skew_seconds: 0,
            flaw: None,
        };
        // Signing with a key that was read does not fail; should it, the empty
        // token is one that Redis refuses.
        self.state
            .issuer
            .mint(&order)
            .map_or_else(String::new, |minted| minted.token)
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
        self.redis.end();
        self.state.managed.end();
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator")
            .field("redis_url", &self.redis.url)
            .field("redis_tls_url", &self.redis.tls_url)
            .field("identity_url", &self.identity_url)
            .field("identity", &self.identity)
            .field("redis", &self.redis.control)
            .finish_non_exhaustive()
    }
}
