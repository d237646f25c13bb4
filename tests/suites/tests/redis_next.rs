//! What is most delicate, with redis-rs 2.0: the source is the same, and not
//! everything below it is.

use redis_2::{AsyncCommands, AsyncConnectionConfig, cmd, pipe};
use redis_authx::ReauthPolicy;
use redis_authx_redis::redis_2::{AuthClient, AuthConnection};
use redis_authx_suites::{Bed, PATIENCE};

/// Connections that are replaced by every rotation.
#[allow(clippy::unwrap_used)] // part of every test
async fn replaced_each_time(bed: &Bed) -> AuthConnection {
    let policy = ReauthPolicy::builder().stagger(0.0).replace_after(0.0);
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .reauth_policy(policy.build().unwrap())
        .build()
        .unwrap();
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(None);
    client.multiplexed_with_config(config).await.unwrap()
}

/// Has the connection replaced.
async fn turn(bed: &Bed, connection: &AuthConnection) {
    bed.turn().await;
    bed.until("it has the newest token", |bed| {
        connection.status().generation == bed.manager.status().generation
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_goes_on_where_its_connection_went() {
    let bed = Bed::builder().brisk().start().await;
    let mut other = bed.multiplexed().await;
    let connection = replaced_each_time(&bed).await;
    let blocked = {
        let mut connection = connection.clone();
        tokio::spawn(async move { connection.blpop::<_, (String, u64)>("queue", 0.0).await })
    };
    for _ in 0..3 {
        turn(&bed, &connection).await;
        bed.until("the old connection is closed", |bed| {
            bed.emulator.redis().connections() == 2
        })
        .await;
    }
    let _: u64 = redis::AsyncCommands::rpush(&mut other, "queue", 7)
        .await
        .unwrap();
    let popped = tokio::time::timeout(PATIENCE, blocked).await.unwrap();
    assert_eq!(popped.unwrap().unwrap(), ("queue".to_owned(), 7));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exec_whose_watch_is_lost_executes_nothing() {
    let bed = Bed::builder().brisk().start().await;
    let mut connection = replaced_each_time(&bed).await;
    for replaced in [true, false] {
        () = cmd("WATCH")
            .arg("key")
            .query_async(&mut connection)
            .await
            .unwrap();
        if replaced {
            turn(&bed, &connection).await;
        }
        let done: Option<(String,)> = pipe()
            .atomic()
            .set("key", 1)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert_eq!(done.is_some(), !replaced);
    }
    assert!(connection.exists::<_, bool>("key").await.unwrap());
}

/// `MULTI` is refused its rest, and a script runs whatever happens.
#[tokio::test(flavor = "multi_thread")]
async fn a_torn_transaction_executes_nothing() {
    let bed = Bed::builder().brisk().start().await;
    let mut connection = replaced_each_time(&bed).await;
    () = cmd("MULTI").query_async(&mut connection).await.unwrap();
    turn(&bed, &connection).await;
    let error = connection.set::<_, _, ()>("key", 1).await.unwrap_err();
    assert!(error.is_connection_dropped(), "{error}");
    let exec = cmd("EXEC").query_async::<()>(&mut connection).await;
    assert_eq!(exec.unwrap_err().code(), Some("EXECABORT"));
    let script = redis_2::Script::new("return redis.call('INCR', KEYS[1])");
    let count: u64 = script
        .key("key")
        .invoke_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(count, 1);
}
