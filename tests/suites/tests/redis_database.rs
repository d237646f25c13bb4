//! What a replacement takes over: what the target says, and nothing else.

use redis::{AsyncCommands, cmd};
use redis_authx::Event;
use redis_authx_redis::AuthClient;
use redis_authx_suites::{Bed, KEY};

#[tokio::test(flavor = "multi_thread")]
async fn the_database_of_the_target_is_selected_again() {
    let bed = Bed::builder().start().await;
    let url = format!("{}/3", bed.emulator.redis_url().trim_end_matches('/'));
    let client = AuthClient::open(url, bed.manager.credentials()).unwrap();
    let mut connection = client.manager().await.unwrap();
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
        bed.emulator.redis().drop_connections();
        // It fails, or waits where the loss is seen before it is sent.
        let _ = connection.get::<_, Option<u64>>(KEY).await;
        bed.until("it is replaced", |bed| {
            bed.count(|event| matches!(event, Event::Replaced { .. })) == round
        })
        .await;
    }
}
