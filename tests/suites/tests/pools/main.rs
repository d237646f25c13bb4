//! Our connections in pools: r2d2, bb8 and deadpool.

mod check_out;
mod renewal;

use redis_authx_redis::{AuthClient, AuthConnection, PoolManager};
use redis_authx_suites::{PATIENCE, blocking, patient};

type Bb8 = bb8::Pool<PoolManager<AuthConnection>>;
type Deadpool = deadpool::managed::Pool<PoolManager<AuthConnection>>;
type R2d2 = r2d2::Pool<AuthClient>;

/// With time limits that a busy machine does not run into.
fn manager(client: &AuthClient) -> PoolManager<AuthConnection> {
    PoolManager::new(client, |client| async move {
        client.multiplexed_with_config(patient()).await
    })
}

/// Each is full from the beginning.
#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn bb8(client: &AuthClient, size: u32) -> Bb8 {
    let pool = bb8::Pool::builder()
        .max_size(size)
        .min_idle(size)
        .connection_timeout(PATIENCE);
    pool.build(manager(client)).await.unwrap()
}

#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn deadpool(client: &AuthClient, size: usize) -> Deadpool {
    let pool = Deadpool::builder(manager(client)).max_size(size);
    let pool = pool.build().unwrap();
    let mut held = Vec::new();
    for _ in 0..size {
        held.push(pool.get().await.unwrap());
    }
    pool
}

#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn r2d2(client: &AuthClient, size: u32) -> R2d2 {
    let (pool, client) = (r2d2::Pool::builder(), client.clone());
    let pool = pool.max_size(size).connection_timeout(PATIENCE);
    blocking(move || pool.build(client).unwrap()).await
}

const SIZE: u32 = 4;
