//! The same with sync connections.

use redis::Commands;
use redis::cluster_read_routing::RandomReplicaStrategy;
use redis_authx_redis::AuthSyncClusterConnection;
use redis_authx_suites::blocking;

use super::*;

async fn connect_sync(bed: &Bed) -> AuthSyncClusterConnection {
    let client = bed.client.clone();
    blocking(move || client.cluster_connection_with(patient).unwrap()).await
}

/// Counts under keys of every primary, until `enough`.
fn count(
    mut connection: AuthSyncClusterConnection,
    enough: impl Fn() -> bool,
) -> AuthSyncClusterConnection {
    while !enough() {
        for key in keys().take(500) {
            let _: u64 = connection.incr(&key, 1).unwrap();
        }
    }
    connection
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_fail_no_command() {
    let bed = bed().calm().start().await;
    let redis = bed.emulator.redis();
    let before = redis.connections_accepted();
    let connection = connect_sync(&bed).await;
    assert_eq!(connection.nodes().len(), NODES);
    let manager = bed.manager.status().generation + 10;
    let status = bed.client.credentials().clone();
    let connection = blocking(move || count(connection, || status.generation() >= manager)).await;
    bed.until("every node has the newest token", |bed| {
        let generation = bed.manager.status().generation;
        let nodes = connection.nodes();
        nodes.len() == NODES
            && nodes
                .iter()
                .all(|node| node.connection.generation == generation)
    })
    .await;
    assert_eq!(redis.auths_refused() + redis.closed_by_expiry(), 0);
    assert_eq!(redis.connections_accepted() - before, NODES as u64);
    drop(connection);
    bed.until("no node is left", |bed| {
        bed.manager.status().connections == 0
    })
    .await;
}

/// redis-rs opens another and sends the command again.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_is_opened_anew() {
    let bed = lasting().await;
    let mut connection = connect_sync(&bed).await;
    for primary in control(&bed).primaries().await.unwrap() {
        let before = bed.emulator.redis().connections();
        bed.emulator.redis().drop_node_connections(primary);
        bed.until("it is closed", |bed| {
            bed.emulator.redis().connections() < before
        })
        .await;
        connection = blocking(move || {
            for key in keys().take(100) {
                let _: u64 = connection.incr(&key, 1).unwrap();
            }
            connection
        })
        .await;
        assert_eq!(bed.emulator.redis().connections(), NODES);
    }
    assert_eq!(connection.nodes().len(), NODES);
}

/// A replica is read from by connections that were opened again as well.
#[tokio::test(flavor = "multi_thread")]
async fn replicas_are_read_from() {
    let bed = bed().lifetime(Duration::from_secs(8)).start().await;
    let client = bed.client.clone();
    let read = |settings: ClusterClientBuilder| {
        patient(settings).read_routing_strategy(RandomReplicaStrategy)
    };
    let mut connection = blocking(move || client.cluster_connection_with(read).unwrap()).await;
    for _ in 0..4 {
        bed.rotate(1).await;
        connection = blocking(move || {
            () = connection.set(KEY, 1).unwrap();
            while connection.get::<_, Option<u64>>(KEY).unwrap() != Some(1) {}
            connection
        })
        .await;
    }
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}
