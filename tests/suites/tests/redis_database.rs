//! What a replacement takes over: what the target says, and nothing else.

use std::time::Duration;

use redis::{AsyncCommands, cmd};
use redis_authx_redis::AuthClient;
use redis_authx_suites::{Bed, KEY, patient};

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_the_target_is_selected_again() {
    // Long enough that nothing else replaces it.
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let url = format!("{}/3", bed.emulator.redis_url().trim_end_matches('/'));
    let client = AuthClient::open(url, bed.manager.credentials()).unwrap();
    let mut connection = client.manager_with_config(patient()).await.unwrap();
    for round in 1..=2 {
        let info: String = cmd("CLIENT")
            .arg("INFO")
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!(info.contains(" db=3 "), "round {round}: {info}");
        assert!(
            info.contains(" lib-name=redis-rs ") || !info.contains("lib-name"),
            "{info}"
        );
        let before = bed.replacements();
        bed.emulator.redis().drop_connections();
        // It fails, or waits where the loss is seen before it is sent.
        let _ = connection.get::<_, Option<u64>>(KEY).await;
        bed.until("it is replaced", |bed| bed.replacements() > before)
            .await;
    }
}
