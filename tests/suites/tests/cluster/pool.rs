//! Connections to a cluster in pools.

use redis::AsyncCommands;
use redis_authx_redis::{AuthClient, PoolManager};
use redis_authx_suites::prompt;

use super::*;

type Manager = PoolManager<AuthClusterConnection>;

/// Both are idle for longer than a token lives, and then used: no node is
/// connected to anew.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_outlive_their_tokens() {
    // A rotation every 1.6 s, and nearly 20 s for an `AUTH`: one that has less when the
    // machine is held up costs a new connection.
    let outlived = bed().lifetime(Duration::from_secs(24)).ratio(0.065);
    let bed = outlived.reauth(prompt()).start().await;
    let open = |client: AuthClient| async move { client.cluster_with(patient).await };
    let bb8: bb8::Pool<Manager> = bb8::Pool::builder()
        .max_size(1)
        .min_idle(1)
        .build(PoolManager::new(&bed.client, open))
        .await
        .unwrap();
    let deadpool = deadpool::managed::Pool::builder(PoolManager::new(&bed.client, open));
    let deadpool: deadpool::managed::Pool<Manager> = deadpool.max_size(1).build().unwrap();
    drop(deadpool.get().await.unwrap());
    let accepted = bed.emulator.redis().connections_accepted();
    bed.rotate(17).await;
    for key in keys().take(50) {
        let _: u64 = bb8.get().await.unwrap().incr(&key, 1).await.unwrap();
        let _: u64 = deadpool.get().await.unwrap().incr(&key, 1).await.unwrap();
    }
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.redis().connections_accepted(), accepted);
    assert_eq!(bed.manager.status().connections, 2 * NODES);
}
