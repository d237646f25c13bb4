//! An AUTH never lands inside a transaction.

#![allow(clippy::unwrap_used)] // the cases are mounted as tests, not marked as such

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{AsyncCommands, RedisResult, cmd, pipe};
use redis_authx::ReauthPolicy;
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Server, on_every_server};

on_every_server!(
    raw_multi_is_waited_out,
    a_multi_left_open_is_waited_for_until_it_ends,
    a_multi_that_never_ends_is_replaced_before_it_expires,
    atomic_pipelines_of_many_tasks_are_never_hit,
);

/// Raw MULTI … EXEC in five separate commands, without a pause.
async fn raw_transactions(
    mut connection: AuthConnection,
    stop: Arc<AtomicBool>,
) -> RedisResult<u64> {
    let mut done = 0;
    while !stop.load(Ordering::SeqCst) {
        () = cmd("MULTI").query_async(&mut connection).await?;
        for _ in 0..3 {
            let queued: String = cmd("INCR").arg("raw").query_async(&mut connection).await?;
            assert_eq!(queued, "QUEUED");
        }
        let replies: Vec<u64> = cmd("EXEC").query_async(&mut connection).await?;
        done += 1;
        assert_eq!(replies, [3 * done - 2, 3 * done - 1, 3 * done]);
    }
    Ok(done)
}

async fn raw_multi_is_waited_out(server: Server) {
    let bed = server.bed().start().await;
    let connection = bed.multiplexed().await;
    let stop = Arc::new(AtomicBool::new(false));
    let work = tokio::spawn(raw_transactions(connection.clone(), Arc::clone(&stop)));
    bed.rotate(5).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    stop.store(true, Ordering::SeqCst);
    assert!(work.await.unwrap().unwrap() > 0);
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.redis().connections_accepted(), 1, "replaced");
}

async fn a_multi_left_open_is_waited_for_until_it_ends(server: Server) {
    let bed = server.bed().start().await;
    let mut connection = bed.multiplexed().await;
    () = cmd("MULTI").query_async(&mut connection).await.unwrap();
    let before = bed.emulator.redis().auths();
    bed.rotate(1).await;
    let queued: String = cmd("SET")
        .arg("k")
        .arg("v")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(queued, "QUEUED");
    assert_eq!(
        bed.emulator.redis().auths(),
        before,
        "AUTH was sent into the transaction"
    );
    let replies: Vec<String> = cmd("EXEC").query_async(&mut connection).await.unwrap();
    assert_eq!(replies, ["OK"]);
    bed.settled(&[connection]).await;
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
}

async fn a_multi_that_never_ends_is_replaced_before_it_expires(server: Server) {
    // After 1.5 s of a minute, so that a busy machine does it before as well.
    let bed = server
        .bed()
        .lifetime(Duration::from_secs(60))
        .reauth(ReauthPolicy::builder().replace_after(0.025))
        .start()
        .await;
    let mut connection = bed.multiplexed().await;
    () = cmd("MULTI").query_async(&mut connection).await.unwrap();
    bed.turn().await;
    bed.settled(std::slice::from_ref(&connection)).await;
    assert_eq!(bed.emulator.redis().connections_accepted(), 2);
    bed.until("the old connection is closed", |bed| {
        bed.emulator.redis().connections() == 1
    })
    .await;
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    // Nothing of it is executed, and what follows it is.
    let error = connection.set::<_, _, ()>("torn", 1).await.unwrap_err();
    assert!(error.is_connection_dropped(), "{error}");
    let exec = cmd("EXEC")
        .query_async::<Vec<String>>(&mut connection)
        .await;
    assert_eq!(exec.unwrap_err().code(), Some("EXECABORT"));
    assert!(!connection.exists::<_, bool>("torn").await.unwrap());
}

async fn atomic_pipelines_of_many_tasks_are_never_hit(server: Server) {
    let bed = server.bed().start().await;
    let connection = bed.multiplexed().await;
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let mut connection = connection.clone();
            let stop = Arc::clone(&stop);
            tokio::spawn(async move {
                let key = format!("atomic:{task}");
                let mut done = 0u64;
                while !stop.load(Ordering::SeqCst) {
                    let (one, two): (u64, u64) = pipe()
                        .atomic()
                        .incr(&key, 1)
                        .incr(&key, 1)
                        .query_async(&mut connection)
                        .await
                        .unwrap();
                    done += 2;
                    assert_eq!((one, two), (done - 1, done));
                }
                let counted: u64 = connection.get(&key).await.unwrap();
                assert_eq!(counted, done);
            })
        })
        .collect();
    bed.rotate(3).await;
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
}
