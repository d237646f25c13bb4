//! The same source with redis-rs 2.x.

use redis_2::AsyncCommands;
use redis_authx_redis::redis_2::AuthClient;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn rotations_failovers_and_logged_out_nodes() {
    let bed = bed().calm().start().await;
    let url = control(&bed).urls()[0].as_str();
    let client = AuthClient::builder(url, bed.manager.credentials())
        .reauth_policy(redis_authx_suites::prompt().build().unwrap())
        .build()
        .unwrap();
    let connection = client.cluster_with(|settings| {
        settings
            .response_timeout(PATIENCE)
            .connection_timeout(PATIENCE)
    });
    let mut connection = connection.await.unwrap();
    let target = bed.rotations() + 3;
    let mut written = 0;
    while bed.rotations() < target {
        for key in keys().take(200) {
            let () = connection.set(key, written).await.unwrap();
            written += 1;
        }
        let () = redis_2::cmd("RESET")
            .query_async(&mut connection)
            .await
            .unwrap();
    }
    control(&bed).fail_over(2).await.unwrap();
    let () = connection.set(KEY, written).await.unwrap();
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), written);
    assert_eq!(connection.nodes().len(), NODES);
    let redis = bed.emulator.redis();
    assert_eq!(redis.closed_by_expiry() + redis.auths_refused(), 0);
}
