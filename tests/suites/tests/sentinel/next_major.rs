//! The same source with redis-rs 2.x.

use redis_2::AsyncCommands;
use redis_authx_redis::redis_2::AuthClient;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn rotations_and_a_killed_master() {
    let bed = bed().calm().start().await;
    control(&bed).wait_until_ok().await.unwrap();
    let url = control(&bed).sentinel_urls()[0].as_str();
    let client = AuthClient::builder(url, bed.manager.credentials())
        .reauth_policy(prompt().build().unwrap())
        .build()
        .unwrap();
    let config = redis_2::AsyncConnectionConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE));
    let service = client.sentinel(control(&bed).master_name());
    let mut connection = service.manager_with_config(config).await.unwrap();
    let target = bed.rotations() + 3;
    while bed.rotations() < target {
        let () = connection.set(KEY, 1).await.unwrap();
    }
    let killed = control(&bed).kill_master().await.unwrap();
    control(&bed).wait_for_takeover(killed).await.unwrap();
    let start = std::time::Instant::now();
    while connection.set::<_, _, ()>(KEY, 2).await.is_err() {
        assert!(start.elapsed() < PATIENCE, "it does not come back");
    }
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), 2);
}
