//! A command that blocks on a shared connection, across a rotation: the `AUTH`
//! behind it is not answered, so the connection is replaced in time.

use std::time::Duration;

use redis::{AsyncCommands, AsyncConnectionConfig, RedisResult};
use redis_authx::Event;
use redis_authx::reauth::ReauthPolicy;
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_suites::{Bed, KEY};
use tokio::task::JoinHandle;

fn replacements(bed: &Bed) -> usize {
    bed.count(|event| matches!(event, Event::Replaced { .. }))
}

fn no_time_limit() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_response_timeout(None)
}

fn blpop(connection: &AuthConnection) -> JoinHandle<RedisResult<(String, u64)>> {
    let mut connection = connection.clone();
    tokio::spawn(async move { connection.blpop("queue", 0.0).await })
}

/// The block lasts until the old connection's token expires.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_ends_with_its_token_and_costs_the_others_nothing() {
    let bed = Bed::builder().start().await;
    let opened = bed.client.multiplexed_with_config(no_time_limit()).await;
    let mut connection = opened.unwrap();
    let blocked = blpop(&connection);

    bed.rotate(1).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    assert_eq!(replacements(&bed), 1);
    () = connection.set(KEY, 1).await.unwrap();

    let error = blocked.await.unwrap().unwrap_err();
    assert!(error.is_connection_dropped(), "{error}");
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 1);
    // Its end is not taken for the new connection's.
    bed.rotate(1).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), 1);
    assert_eq!(replacements(&bed), 1);
    assert_eq!(bed.emulator.redis().connections(), 1);
}

/// Until then it goes on: what comes to the list is not lost.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_goes_on_after_the_replacement() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(60))
        .ratio(0.02)
        .start()
        .await;
    let early = ReauthPolicy::builder().replace_after(0.01).build().unwrap();
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .reauth_policy(early)
        .build()
        .unwrap();
    let opened = client.multiplexed_with_config(no_time_limit()).await;
    let mut connection = opened.unwrap();
    let blocked = blpop(&connection);
    bed.until("it is replaced", |bed| replacements(bed) > 0)
        .await;
    let _: u64 = connection.rpush("queue", 7).await.unwrap();
    assert_eq!(blocked.await.unwrap().unwrap(), ("queue".to_owned(), 7));
    // And the old connection is not kept.
    bed.until("one is left", |bed| bed.emulator.redis().connections() == 1)
        .await;
}
