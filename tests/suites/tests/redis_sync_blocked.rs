//! Commands that block a sync connection for longer than its token lives.

#![allow(clippy::unwrap_used)] // the cases are mounted as tests, not marked as such

use std::time::{Duration, Instant};

use redis::{Commands, Value, cmd, pipe};
use redis_authx_suites::{Bed, KEY, Server, blocking, on_every_server};

on_every_server!(
    streams_and_sorted_sets_as_well,
    transactions_and_pipelines_are_left_alone,
);

/// A rotation each 1.5 s. What blocks is cut after seven eighths of a token's
/// life, and has what is left, 1.5 s and more, for the `AUTH`.
async fn short(server: &Server) -> Bed {
    let short = server.bed().lifetime(Duration::from_secs(12));
    short.ratio(0.125).start().await
}

fn assert_unharmed(bed: &Bed, connections: u64) {
    let redis = bed.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    assert_eq!(redis.auths_in_transactions(), 0);
    let reports = redis.connection_reports();
    assert!(redis.connections_accepted() >= connections);
    assert!(
        reports
            .iter()
            .all(|report| report.auths_with_same_token == 0)
    );
}

/// Blocked for ever, over eighteen rotations: each element is popped once, in
/// order, and no command fails.
#[tokio::test(flavor = "multi_thread")]
async fn each_element_is_popped_once() {
    const ELEMENTS: u64 = 400;
    const ROUNDS: u64 = 4;
    let bed = short(&Server::on_path()).await;
    let (mut consumer, mut producer) = (bed.sync().await, bed.sync().await);
    let popped = tokio::task::spawn_blocking(move || {
        let mut popped = Vec::new();
        while popped.len() < ELEMENTS as usize {
            let (_, element): (String, u64) = consumer.blpop("queue", 0.0).unwrap();
            popped.push(element);
        }
        popped
    });
    let mut pushed = 0;
    // In bursts with silence between them, in which it blocks: now for longer
    // than a token lives, now not.
    for round in 0..ROUNDS {
        bed.rotate(if round % 2 == 0 { 8 } else { 1 }).await;
        producer = blocking(move || {
            for element in pushed..pushed + ELEMENTS / ROUNDS {
                let _: u64 = producer.rpush("queue", element).unwrap();
            }
            producer
        })
        .await;
        pushed += ELEMENTS / ROUNDS;
    }
    let popped = popped.await.unwrap();
    assert!(popped.iter().copied().eq(0..ELEMENTS), "{popped:?}");
    assert_unharmed(&bed, 2);
}

/// Its own time is kept, whatever it is divided into.
#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_is_as_long_as_it_was() {
    let bed = short(&Server::on_path()).await;
    let mut connection = bed.sync().await;
    blocking(move || {
        let start = Instant::now();
        let none: Option<(String, u64)> = connection.blpop("none", 13.0).unwrap();
        assert_eq!(none, None);
        // Up to a millisecond of each part is rounded away.
        assert!(start.elapsed() >= Duration::from_millis(12_900));
        // And one that a read waits for.
        connection
            .set_read_timeout(Some(Duration::from_secs(12)))
            .unwrap();
        let start = Instant::now();
        let error = connection.blpop::<_, ()>("none", 0.0).unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert!(start.elapsed() >= Duration::from_secs(12));
        connection.set_read_timeout(None).unwrap();
        () = connection.set(KEY, 1).unwrap();
    })
    .await;
    assert_unharmed(&bed, 1);
}

async fn streams_and_sorted_sets_as_well(server: Server) {
    let bed = short(&server).await;
    let (mut reader, mut popper) = (bed.sync().await, bed.sync().await);
    let mut writer = bed.sync().await;
    let read = tokio::task::spawn_blocking(move || {
        let mut read = cmd("XREAD");
        read.arg("BLOCK").arg(0).arg("STREAMS").arg("stream").arg(0);
        read.query::<Value>(&mut reader).unwrap()
    });
    let popped = tokio::task::spawn_blocking(move || {
        let popped: (String, String, f64) = popper.bzpopmin("set", 0.0).unwrap();
        popped.1
    });
    bed.rotate(8).await;
    blocking(move || {
        let mut add = cmd("XADD");
        add.arg("stream").arg("*").arg("field").arg("value");
        add.exec(&mut writer).unwrap();
        let _: u64 = writer.zadd("set", "member", 1.0).unwrap();
    })
    .await;
    let read = format!("{:?}", read.await.unwrap());
    assert!(read.contains("value"), "{read}");
    assert_eq!(popped.await.unwrap(), "member");
    assert_unharmed(&bed, 3);
}

/// Inside a transaction nothing blocks, and a pipeline is sent as it is.
async fn transactions_and_pipelines_are_left_alone(server: Server) {
    let bed = server
        .bed()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let mut connection = bed.sync().await;
    blocking(move || {
        cmd("MULTI").exec(&mut connection).unwrap();
        let queued: String = connection.blpop("none", 0.0).unwrap();
        assert_eq!(queued, "QUEUED");
        let replies: Vec<Option<u64>> = cmd("EXEC").query(&mut connection).unwrap();
        assert_eq!(replies, [None]);
        let mut pipeline = pipe();
        pipeline.rpush("queue", 7).ignore().blpop("queue", 0.0);
        let popped: ((String, u64),) = pipeline.query(&mut connection).unwrap();
        assert_eq!(popped.0.1, 7);
    })
    .await;
}
