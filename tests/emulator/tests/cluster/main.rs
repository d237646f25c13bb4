//! A real Redis Cluster behind gateways, and redis-rs's own cluster client.
#![allow(clippy::unwrap_used)]

#[path = "../support/mod.rs"]
mod support;

mod changes;
mod topology;

use std::time::Duration;

use redis::{
    IntoConnectionInfo, TlsCertificates,
    cluster::{ClusterClient, ClusterClientBuilder},
};
use redis_authx_emulator::{ClusterControl, Emulator, Store};
use support::{HOUR, Raw};

/// Three primaries with a replica each.
async fn emulator() -> Emulator {
    support::emulator(Store::cluster(3, 1)).await
}

fn control(emulator: &Emulator) -> &ClusterControl {
    emulator.cluster().unwrap()
}

fn builder(emulator: &Emulator, urls: &[String], lifetime: Duration) -> ClusterClientBuilder {
    let token = emulator.issue_token(lifetime);
    let infos = urls.iter().map(|url| {
        let info = url.as_str().into_connection_info().unwrap();
        let settings = info
            .redis_settings()
            .clone()
            .set_username(emulator.object_id())
            .set_password(&token);
        info.set_redis_settings(settings)
    });
    let builder = ClusterClient::builder(infos);
    if urls[0].starts_with("redis:") {
        // To know certificates is to use TLS, for this builder.
        return builder;
    }
    builder.certs(TlsCertificates {
        client_tls: None,
        root_cert: Some(emulator.ca_pem().as_bytes().to_vec()),
    })
}

/// Retries long enough for an election on a busy machine.
fn client(emulator: &Emulator, urls: &[String]) -> ClusterClient {
    builder(emulator, urls, HOUR)
        .retries(60)
        .min_retry_wait(50)
        .max_retry_wait(500)
        .connection_timeout(support::PATIENCE)
        .response_timeout(support::PATIENCE)
        .build()
        .unwrap()
}

/// A connection to this node, logged in with a token of this lifetime.
async fn raw(emulator: &Emulator, node: usize, lifetime: Duration) -> Raw {
    let mut raw = Raw::open_at(&control(emulator).urls()[node]).await;
    raw.auth(emulator, lifetime).await;
    raw
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}
