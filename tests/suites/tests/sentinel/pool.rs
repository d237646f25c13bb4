//! Connections to the master in pools.

use redis::AsyncCommands;
use redis_authx_redis::PoolManager;

use super::*;

type Manager = PoolManager<AuthConnection>;

/// Idle for two lifetimes, then used.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_outlive_their_tokens() {
    let bed = bed().outlived().start().await;
    let open =
        |service: AuthSentinelClient| async move { service.manager_with_config(patient()).await };
    let bb8: bb8::Pool<Manager> = bb8::Pool::builder()
        .max_size(1)
        .min_idle(1)
        .build(PoolManager::new(&service(&bed), open))
        .await
        .unwrap();
    let deadpool = deadpool::managed::Pool::builder(PoolManager::new(&service(&bed), open));
    let deadpool: deadpool::managed::Pool<Manager> = deadpool.max_size(1).build().unwrap();
    drop(deadpool.get().await.unwrap());
    bed.rotate(12).await;
    for _ in 0..10 {
        let _: u64 = bb8.get().await.unwrap().incr(KEY, 1).await.unwrap();
        let _: u64 = deadpool.get().await.unwrap().incr(KEY, 1).await.unwrap();
    }
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.manager.status().connections, 2);
}
