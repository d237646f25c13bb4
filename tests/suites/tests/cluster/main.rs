//! A real Redis Cluster, three primaries with a replica each, whose gateways
//! demand tokens.

#![allow(clippy::unwrap_used)] // helpers are called by tests, not marked as such

mod changes;
mod faults;
mod next_major;
mod nodes;
mod rotations;

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cluster::ClusterClientBuilder;
use redis::{Client, IntoConnectionInfo, RedisConnectionInfo, Value, cmd};
use redis_authx::State;
use redis_authx_emulator::{ClusterControl, Store};
use redis_authx_redis::AuthClusterConnection;
use redis_authx_suites::{Bed, BedBuilder, PATIENCE};

/// Primaries, and replicas.
const NODES: usize = 6;

/// In the last third of the slots.
const KEY: &str = "foo";

fn bed() -> BedBuilder {
    Bed::builder().store(Store::cluster(3, 1))
}

/// With tokens that outlive the test.
async fn lasting() -> Bed {
    start(bed().lifetime(Duration::from_secs(600))).await
}

/// Starts everything, and waits until the first node tells of all the others:
/// a replica is named only when it has begun to follow.
async fn start(bed: BedBuilder) -> Bed {
    let bed = bed.start().await;
    let mut client = plain(&bed).await;
    loop {
        let slots = cmd("CLUSTER").arg("SLOTS").query_async(&mut client).await;
        let slots: Vec<Vec<Value>> = slots.unwrap();
        // First and last slot, then each node.
        if slots.iter().map(|range| range.len() - 2).sum::<usize>() == NODES {
            return bed;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A connection to the first node, by a token that outlives the test.
async fn plain(bed: &Bed) -> MultiplexedConnection {
    let token = bed.emulator.issue_token(Duration::from_secs(3600));
    let info = bed.emulator.redis_url().into_connection_info().unwrap();
    let settings = RedisConnectionInfo::default()
        .set_username(bed.emulator.object_id())
        .set_password(token);
    let client = Client::open(info.set_redis_settings(settings)).unwrap();
    client
        .get_multiplexed_async_connection_with_config(&redis_authx_suites::patient())
        .await
        .unwrap()
}

fn control(bed: &Bed) -> &ClusterControl {
    bed.emulator.cluster().unwrap()
}

/// Time limits that a busy machine does not run into.
fn patient(settings: ClusterClientBuilder) -> ClusterClientBuilder {
    settings
        .response_timeout(PATIENCE)
        .connection_timeout(PATIENCE)
}

async fn connect(bed: &Bed) -> AuthClusterConnection {
    bed.client.cluster_with(patient).await.unwrap()
}

/// Keys of every primary, in thousands of slots.
fn keys() -> impl Iterator<Item = String> {
    (0..20_000).map(|n| format!("key-{n}"))
}

/// Waits until the connection to every node has the newest token.
async fn settled(bed: &Bed, connection: &AuthClusterConnection) {
    bed.until("every node has the newest token", |bed| {
        let manager = bed.manager.status();
        let nodes = connection.nodes();
        let newest = nodes
            .iter()
            .filter(|node| node.connection.generation == manager.generation);
        manager.state == State::Valid && newest.count() == NODES
    })
    .await;
}
