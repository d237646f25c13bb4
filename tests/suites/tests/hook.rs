//! redis-rs's own hook, served from the manager.

use std::time::{Duration, Instant};

use redis::aio::ConnectionManagerConfig;
use redis::{AsyncCommands, Client};
use redis_authx_redis::RedisCredentials;
use redis_authx_suites::{Bed, PATIENCE, patient};

#[tokio::test(flavor = "multi_thread")]
async fn a_multiplexed_connection_lives_through_rotations() {
    let bed = Bed::builder().start().await;
    let client = Client::open(bed.emulator.redis_url()).unwrap();
    let config = patient().set_credentials_provider(bed.manager.credentials().redis_provider());
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .unwrap();
    let rotations = bed.rotations() + 4;
    while bed.rotations() < rotations {
        let _: u64 = connection.incr("hook", 1).await.unwrap();
    }
    let redis = bed.emulator.redis();
    bed.until("the last AUTH", |_| redis.auths() >= 2 + rotations as u64)
        .await;
    assert_eq!(redis.closed_by_expiry(), 0);
}

/// An outage at the moment of a reconnect leaves it alive: what it is told is
/// an I/O error, and after these it tries again.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_manager_heals_after_an_outage() {
    let bed = Bed::builder().start().await;
    let client = Client::open(bed.emulator.redis_url()).unwrap();
    let config = ConnectionManagerConfig::new()
        .set_number_of_retries(1)
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE))
        .set_credentials_provider(bed.manager.credentials().redis_provider());
    let mut connection = client
        .get_connection_manager_with_config(config)
        .await
        .unwrap();
    let () = connection.set("key", 1).await.unwrap();

    bed.emulator.identity().set_outage(true);
    bed.until("the token has expired", |bed| {
        bed.manager.status().expires_in.is_none()
    })
    .await;
    bed.until("the server has hung up", |bed| {
        bed.emulator.redis().closed_by_expiry() == 1
    })
    .await;
    for _ in 0..3 {
        assert!(connection.get::<_, u64>("key").await.is_err());
    }
    bed.emulator.identity().set_outage(false);
    bed.until("there is a token", |bed| {
        bed.manager.credentials().current().is_ok()
    })
    .await;
    let start = Instant::now();
    let mut answered = 0;
    while answered < 10 {
        assert!(start.elapsed() < PATIENCE, "it is poisoned");
        match connection.get::<_, u64>("key").await {
            Ok(_) => answered += 1,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}
