//! redis-rs's own hook, served from the manager.

use redis::aio::ConnectionManagerConfig;
use redis::{AsyncCommands, AsyncConnectionConfig, Client};
use redis_authx_redis::RedisCredentials;
use redis_authx_suites::Bed;

#[tokio::test(flavor = "multi_thread")]
async fn a_multiplexed_connection_lives_through_rotations() {
    let bed = Bed::builder().start().await;
    let client = Client::open(bed.emulator.redis_url()).unwrap();
    let config = AsyncConnectionConfig::new()
        .set_credentials_provider(bed.manager.credentials().redis_provider());
    let mut connection = client
        .get_multiplexed_async_connection_with_config(&config)
        .await
        .unwrap();
    let rotations = bed.rotations() + 3;
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
    let mut answered = 0;
    for _ in 0..200 {
        match connection.get::<_, u64>("key").await {
            Ok(_) => answered += 1,
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
        }
        if answered == 10 {
            break;
        }
    }
    assert_eq!(answered, 10, "it is poisoned");
}
