//! fred's clients, and its pools. Before one is reconnected, a connection is
//! opened that shows whether the token is taken.

use std::future::Future;

use ::fred::clients::{Client, Pool};
use ::fred::interfaces::{ClientLike, KeysInterface, TransactionInterface};
use ::fred::types::config::{Config, ReconnectPolicy};
use ::fred::types::{Builder, RespVersion};
use redis_authx::{ConnectionStatus, Runtime};
use redis_authx_fred::{AuthBuilder, BuilderExt, Renewal};

use crate::connection::{Connection, Kind};
use crate::site::Site;

/// A client, and what keeps it logged in.
#[derive(Clone)]
pub(crate) struct OneClient {
    client: Client,
    renewal: Renewal,
}

/// The same of a pool.
#[derive(Clone)]
pub(crate) struct OfAPool {
    pool: Pool,
    renewal: Renewal,
}

/// All of fred's commands wait while a client reconnects.
fn builder<R: Runtime + Clone>(site: &Site<R>, kind: Kind) -> (AuthBuilder, Renewal) {
    let mut config = Config::from_url(&site.url("")).unwrap();
    config.version = match kind {
        Kind::Resp3 => RespVersion::RESP3,
        Kind::Usual | Kind::Waiting | Kind::Hasty => RespVersion::RESP2,
    };
    let renewal = Renewal::builder(site.manager.credentials())
        .reauth_policy(kind.policy())
        .build()
        .unwrap();
    let mut builder = Builder::from_config(config);
    builder.set_policy(ReconnectPolicy::new_constant(0, 1));
    (builder.renewal(&renewal), renewal)
}

fn statuses(renewal: &Renewal) -> Vec<ConnectionStatus> {
    let connections = renewal.connections().into_iter();
    connections.map(|report| report.connection).collect()
}

/// fred says that it is connected a little before its connection is known.
async fn known<R: Runtime + Clone>(site: &Site<R>, renewal: &Renewal, count: u64) {
    site.until("its connections are known", |_| {
        renewal.connections().len() as u64 == count
    })
    .await;
}

async fn incr(client: &Client, key: &str) -> Result<u64, String> {
    let counted = KeysInterface::incr(client, key).await;
    counted.map_err(|error| error.to_string())
}

async fn incr_twice(client: &Client, key: &str) -> (u64, u64) {
    let transaction = client.multi();
    () = transaction.incr(key).await.unwrap();
    () = transaction.incr(key).await.unwrap();
    transaction.exec(true).await.unwrap()
}

impl Connection for OneClient {
    const SHOWINGS: u64 = 1;
    const FOR_A_REPLACEMENT: u64 = 2;

    async fn open<R: Runtime + Clone>(site: &Site<R>, kind: Kind) -> Self {
        let (builder, renewal) = builder(site, kind);
        let client = builder.build().unwrap();
        client.init().await.unwrap();
        known(site, &renewal, Self::SOCKETS).await;
        Self { client, renewal }
    }

    fn statuses(&self) -> Vec<ConnectionStatus> {
        statuses(&self.renewal)
    }

    fn incr(&self, key: &str) -> impl Future<Output = Result<u64, String>> + Send {
        incr(&self.client, key)
    }

    async fn get(&self, key: &str) -> u64 {
        self.client.get(key).await.unwrap()
    }

    async fn incr_twice(&self, key: &str) -> (u64, u64) {
        incr_twice(&self.client, key).await
    }

    async fn close(self) {
        self.client.quit().await.unwrap();
    }
}

impl Connection for OfAPool {
    const SOCKETS: u64 = 3;
    const SHOWINGS: u64 = 1;
    const FOR_A_REPLACEMENT: u64 = 2;

    async fn open<R: Runtime + Clone>(site: &Site<R>, kind: Kind) -> Self {
        let (builder, renewal) = builder(site, kind);
        let pool = builder.build_pool(3).unwrap();
        pool.init().await.unwrap();
        known(site, &renewal, Self::SOCKETS).await;
        Self { pool, renewal }
    }

    fn statuses(&self) -> Vec<ConnectionStatus> {
        statuses(&self.renewal)
    }

    fn incr(&self, key: &str) -> impl Future<Output = Result<u64, String>> + Send {
        incr(self.pool.next(), key)
    }

    async fn get(&self, key: &str) -> u64 {
        self.pool.get(key).await.unwrap()
    }

    async fn incr_twice(&self, key: &str) -> (u64, u64) {
        incr_twice(self.pool.next(), key).await
    }

    async fn close(self) {
        self.pool.quit().await.unwrap();
    }
}
