//! The Redis side as a whole: the gateways, and what is behind them.

use std::{future::Future, pin::Pin, sync::Arc};

use tokio_rustls::TlsAcceptor;

use crate::{
    ClusterControl, EmulatorBuilder, EmulatorError, RedisControl, SentinelControl, Store,
    gateway::door::{Door, Rewriters},
    identity::issuer::Issuer,
    server::{Backend, Turn},
};

/// See the module's description.
pub(crate) struct RedisSide {
    pub(crate) url: String,
    pub(crate) tls_url: String,
    pub(crate) control: Arc<RedisControl>,
    pub(crate) cluster: Option<ClusterControl>,
    pub(crate) sentinel: Option<SentinelControl>,
}

/// What has to run for clients to be served.
pub(crate) type Serving = Vec<Pin<Box<dyn Future<Output = ()> + Send>>>;

impl RedisSide {
    /// Opens the gateways and starts what is behind them.
    pub(crate) async fn start(
        builder: &EmulatorBuilder,
        issuer: &Arc<Issuer>,
        tls: &TlsAcceptor,
    ) -> Result<(Self, Serving), EmulatorError> {
        let store = &builder.store;
        let program = &builder.redis_server_program;
        let doors = Door::open(store.nodes(), builder.redis_port, builder.redis_tls_port)?;
        let sentinel_doors = Door::open(store.sentinels(), 0, 0)?;

        let turn = match store {
            Store::Cluster { .. } | Store::Sentinel { .. } => Some(Turn::take().await),
            Store::Embedded | Store::RedisServer | Store::Url(_) => None,
        };
        let backend = Backend::start(store, program, &issuer.ids.object).await?;
        let mut rewriters = Rewriters::default();
        rewriters.add(&backend.servers(), &doors);
        let mut sentinels = None;
        if let Store::Sentinel { .. } = store {
            let login = &builder.sentinel_login;
            let count = store.sentinels();
            let backend = backend.start_sentinels(count, login, program).await?;
            rewriters.add(&backend.servers(), &sentinel_doors);
            let control = RedisControl::of_sentinels(backend, Arc::clone(issuer), login.clone());
            sentinels = Some(Arc::new(control));
        }
        drop(turn);
        let control = Arc::new(RedisControl::new(backend, Arc::clone(issuer)));

        let side = Self {
            url: doors[0].url(),
            tls_url: doors[0].tls_url(),
            cluster: matches!(store, Store::Cluster { .. })
                .then(|| ClusterControl::new(Arc::clone(&control), &doors)),
            sentinel: sentinels.as_ref().map(|sentinels| {
                let sentinels = (Arc::clone(sentinels), &sentinel_doors[..]);
                SentinelControl::new((Arc::clone(&control), &doors), sentinels)
            }),
            control: Arc::clone(&control),
        };
        let several = side.cluster.is_some() || side.sentinel.is_some();
        let rewriters = several.then_some(&rewriters);
        let mut serving: Serving = Vec::new();
        let gateways = [(Some(control), doors), (sentinels, sentinel_doors)];
        for (control, doors) in gateways {
            let Some(control) = control else { continue };
            for door in Door::serve(doors, tls, rewriters, &control) {
                serving.push(Box::pin(door));
            }
        }
        Ok((side, serving))
    }

    /// The emulator is being dropped: nothing may outlive it, whatever else
    /// still holds the controls.
    pub(crate) fn end(&self) {
        if let Some(sentinel) = &self.sentinel {
            sentinel.end();
        }
        self.control.end();
    }
}
