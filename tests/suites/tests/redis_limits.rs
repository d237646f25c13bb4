//! redis-rs's own limits, set by the application, and the `AUTH` behind them.

use redis::AsyncConnectionConfig;
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Bed, Load, patient};

/// Nothing fails and nothing expires.
#[allow(clippy::unwrap_used)] // the body of several tests
async fn is_renewed_under_load(config: AsyncConnectionConfig) -> (Bed, AuthConnection) {
    let bed = Bed::builder().outlived().start().await;
    let connection = bed.client.multiplexed_with_config(config).await.unwrap();
    let load = Load::start(std::slice::from_ref(&connection), 8);
    for _ in 0..6 {
        bed.rotate(1).await;
        bed.settled(std::slice::from_ref(&connection)).await;
    }
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    (bed, connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_concurrency_limit_that_is_used_up() {
    let limited = patient().set_concurrency_limit(1);
    let (bed, _connection) = is_renewed_under_load(limited).await;
    println!("{} sockets", bed.emulator.redis().connections_accepted());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_buffer_that_is_full() {
    let narrow = patient().set_pipeline_buffer_size(1);
    let (bed, _connection) = is_renewed_under_load(narrow).await;
    assert_eq!(bed.emulator.redis().connections_accepted(), 1, "replaced");
}
