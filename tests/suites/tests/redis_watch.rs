//! A `WATCH`, or a raw `MULTI`, whose connection is replaced: nothing is
//! executed that the application believes to be checked, or part of a whole.

#![allow(clippy::unwrap_used)] // the cases are mounted as tests, not marked as such

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::transaction_async;
use redis::{AsyncCommands, Pipeline, RedisResult, cmd, pipe};
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Bed, Server, on_every_server};

on_every_server!(
    an_exec_whose_watch_is_lost_executes_nothing,
    a_second_watch_does_not_stand_for_the_first,
    an_atomic_pipeline_whose_watch_is_lost_is_not_sent,
    a_pipeline_with_such_an_exec_fails_as_a_whole,
    a_watch_that_is_given_up_is_not_missed,
    a_lost_connection_is_no_different,
    the_rest_of_a_torn_transaction_is_refused,
    loops_around_watch_run_again,
);

const KEY: &str = "watched";

async fn send(connection: &mut AuthConnection, name: &str) -> RedisResult<String> {
    cmd(name).query_async(connection).await
}

async fn watch(connection: &mut AuthConnection) {
    let watched: RedisResult<()> = cmd("WATCH").arg(KEY).query_async(connection).await;
    watched.expect("it is watched");
}

async fn exec(connection: &mut AuthConnection) -> RedisResult<Option<Vec<String>>> {
    cmd("EXEC").query_async(connection).await
}
async fn assert_works(bed: &Bed, mut connection: AuthConnection, value: Option<u64>) {
    assert_eq!(connection.get::<_, Option<u64>>(KEY).await.unwrap(), value);
    watch(&mut connection).await;
    send(&mut connection, "MULTI").await.unwrap();
    let queued: String = cmd("SET")
        .arg(KEY)
        .arg(9)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(queued, "QUEUED");
    assert_eq!(exec(&mut connection).await.unwrap().unwrap(), ["OK"]);
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
}

/// Its `EXEC` says what it says when a key has changed.
async fn an_exec_whose_watch_is_lost_executes_nothing(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut connection = bed.multiplexed().await;
    watch(&mut connection).await;
    bed.replace().await;
    send(&mut connection, "MULTI").await.unwrap();
    let queued: String = cmd("SET")
        .arg(KEY)
        .arg(1)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(queued, "QUEUED");
    assert_eq!(exec(&mut connection).await.unwrap(), None);
    assert_works(&bed, connection, None).await;
}

/// One more `WATCH` doesn't bring the lost one back.
async fn a_second_watch_does_not_stand_for_the_first(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut connection = bed.multiplexed().await;
    watch(&mut connection).await;
    bed.replace().await;
    watch(&mut connection).await;
    let done: Option<()> = pipe()
        .atomic()
        .set(KEY, 1)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(done, None);
    assert_works(&bed, connection, None).await;
}

async fn an_atomic_pipeline_whose_watch_is_lost_is_not_sent(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut connection = bed.multiplexed().await;
    watch(&mut connection).await;
    bed.replace().await;
    let done: Option<(String,)> = pipe()
        .atomic()
        .set(KEY, 1)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(done, None);
    assert_works(&bed, connection, None).await;
}

/// A piece with other commands has no place to say that a key has changed.
async fn a_pipeline_with_such_an_exec_fails_as_a_whole(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut connection = bed.multiplexed().await;
    watch(&mut connection).await;
    bed.replace().await;
    let mut piece = pipe();
    piece.cmd("MULTI").set(KEY, 1).cmd("EXEC");
    let error = piece.query_async::<()>(&mut connection).await.unwrap_err();
    assert_eq!(error.code(), Some("EXECABORT"), "{error}");
    assert_works(&bed, connection, None).await;
}

/// What is given up in time is not missed.
async fn a_watch_that_is_given_up_is_not_missed(server: Server) {
    let bed = server.bed().brisk().start().await;
    for end in ["UNWATCH", "DISCARD"] {
        let mut connection = bed.multiplexed().await;
        watch(&mut connection).await;
        let replaced = bed.replacements();
        bed.emulator.redis().drop_connections();
        // Whoever sends on a lost connection is told so.
        let _ = send(&mut connection, "PING").await;
        bed.until("it is replaced", |bed| bed.replacements() > replaced)
            .await;
        if end == "DISCARD" {
            send(&mut connection, "MULTI").await.unwrap();
        }
        send(&mut connection, end).await.unwrap();
        let done: Option<()> = pipe()
            .atomic()
            .set(KEY, 9)
            .query_async(&mut connection)
            .await
            .unwrap();
        assert!(done.is_some(), "{end}");
    }
}

/// A connection that is lost loses its `WATCH` as well.
async fn a_lost_connection_is_no_different(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut connection = bed.waiting().await;
    watch(&mut connection).await;
    bed.emulator.redis().drop_connections();
    let _ = send(&mut connection, "PING").await;
    bed.until("it is replaced", |bed| bed.replacements() == 1)
        .await;
    let done: Option<()> = pipe()
        .atomic()
        .set(KEY, 1)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(done, None);
    assert_works(&bed, connection, None).await;
}

/// The rest of a `MULTI` that was acknowledged is refused until it ends.
async fn the_rest_of_a_torn_transaction_is_refused(server: Server) {
    let bed = server.bed().brisk().start().await;
    for (checked, end) in [(false, "EXEC"), (true, "EXEC"), (false, "DISCARD")] {
        let mut connection = bed.multiplexed().await;
        if checked {
            watch(&mut connection).await;
        }
        send(&mut connection, "MULTI").await.unwrap();
        let replaced = bed.replacements();
        bed.turn().await;
        bed.until("it is replaced", |bed| bed.replacements() > replaced)
            .await;
        let error = connection.set::<_, _, ()>(KEY, 1).await.unwrap_err();
        assert!(error.is_connection_dropped(), "{error}");
        if end == "DISCARD" {
            assert_eq!(send(&mut connection, end).await.unwrap(), "OK");
        } else if checked {
            assert_eq!(exec(&mut connection).await.unwrap(), None);
        } else {
            let error = exec(&mut connection).await.unwrap_err();
            assert_eq!(error.code(), Some("EXECABORT"), "{error}");
        }
        assert_eq!(connection.get::<_, Option<u64>>(KEY).await.unwrap(), None);
    }
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
}

/// redis-rs's own loop: two that count with it miss nothing, whatever happens
/// to their connections.
async fn loops_around_watch_run_again(server: Server) {
    let bed = server.bed().brisk().start().await;
    let stop = Arc::new(AtomicBool::new(false));
    let connections = [bed.multiplexed().await, bed.multiplexed().await];
    let counters = connections.clone().map(|connection| {
        let stop = Arc::clone(&stop);
        tokio::spawn(async move {
            let mut counted = 0;
            while !stop.load(Ordering::SeqCst) {
                let _: (u64,) = transaction_async(connection.clone(), &[KEY], add_one)
                    .await
                    .unwrap();
                counted += 1;
            }
            counted
        })
    });
    for _ in 0..20 {
        bed.replace().await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stop.store(true, Ordering::SeqCst);
    let mut counted = 0;
    for counter in counters {
        counted += counter.await.unwrap();
    }
    let [mut connection, _] = connections;
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), counted);
    println!("{} replacements, {counted} counted", bed.replacements());
}

async fn add_one(mut on: AuthConnection, mut piece: Pipeline) -> RedisResult<Option<(u64,)>> {
    let before: Option<u64> = on.get(KEY).await?;
    tokio::task::yield_now().await;
    piece.incr(KEY, 1);
    let done: Option<(u64,)> = piece.query_async(&mut on).await?;
    Ok(done.inspect(|(after,)| assert_eq!(*after, before.unwrap_or(0) + 1)))
}
