//! A real Redis Cluster, three primaries with a replica each, whose gateways
//! demand tokens.

#![allow(clippy::unwrap_used)] // helpers are called by tests, not marked as such

mod changes;
mod faults;
mod next_major;
mod nodes;
mod on_smol;
mod pool;
mod rotations;
mod sync;

use std::time::Duration;

use redis::cluster::ClusterClientBuilder;
use redis_authx::ManagerState;
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
    bed().lifetime(Duration::from_secs(600)).start().await
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
        manager.state == ManagerState::Valid && newest.count() == NODES
    })
    .await;
}
