//! A thousand rotations with transactions of every kind under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis::{AsyncCommands, RedisError, RedisResult, Script, cmd, pipe};
use redis_authx_redis::AuthConnection;
use redis_authx_suites::Bed;
use tokio::task::JoinSet;

const ROTATIONS: usize = 1000;

#[derive(Debug, Default)]
struct Seen {
    stop: AtomicBool,
    raw: AtomicU64,
    /// Transactions that a replacement has torn, and that were begun anew.
    torn: AtomicU64,
    watched: AtomicU64,
    changed: AtomicU64,
    atomic: AtomicU64,
    scripts: AtomicU64,
}

impl Seen {
    fn goes_on(&self) -> bool {
        !self.stop.load(Ordering::SeqCst)
    }
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::SeqCst);
}

/// A replacement has torn the transaction; anything else is a failure.
#[allow(clippy::unwrap_used)] // part of the test
async fn give_up(connection: &mut AuthConnection, error: &RedisError, seen: &Seen) {
    let torn = error.code() == Some("EXECABORT") || error.to_string().contains("inside a MULTI");
    assert!(torn, "{error}");
    if error.code().is_none() {
        () = cmd("DISCARD").query_async(connection).await.unwrap();
    }
    count(&seen.torn);
}

/// `MULTI` … `EXEC` in commands of their own: the replies are its own three.
async fn raw(mut connection: AuthConnection, key: String, seen: Arc<Seen>) {
    let mut done = 0;
    while seen.goes_on() {
        let replies: RedisResult<Vec<u64>> = async {
            () = cmd("MULTI").query_async(&mut connection).await?;
            for _ in 0..3 {
                let queued: String = cmd("INCR").arg(&key).query_async(&mut connection).await?;
                assert_eq!(queued, "QUEUED");
            }
            cmd("EXEC").query_async(&mut connection).await
        }
        .await;
        match replies {
            Ok(replies) => {
                assert_eq!(replies, [done + 1, done + 2, done + 3]);
                done += 3;
                count(&seen.raw);
            }
            Err(error) => give_up(&mut connection, &error, &seen).await,
        }
    }
}

/// Read, add, write, if nobody else has written: two do it to one key.
async fn watched(mut connection: AuthConnection, seen: Arc<Seen>) {
    while seen.goes_on() {
        let written: RedisResult<Option<(String, u64)>> = async {
            () = cmd("WATCH")
                .arg("watched")
                .query_async(&mut connection)
                .await?;
            let before: Option<u64> = connection.get("watched").await?;
            let after = before.unwrap_or(0) + 1;
            () = cmd("MULTI").query_async(&mut connection).await?;
            () = cmd("SET")
                .arg("watched")
                .arg(after)
                .query_async(&mut connection)
                .await?;
            () = cmd("GET")
                .arg("watched")
                .query_async(&mut connection)
                .await?;
            let replies: Option<(String, u64)> = cmd("EXEC").query_async(&mut connection).await?;
            Ok(replies.inspect(|(ok, read)| assert_eq!((ok.as_str(), *read), ("OK", after))))
        }
        .await;
        match written {
            Ok(Some(_)) => count(&seen.watched),
            Ok(None) => count(&seen.changed),
            Err(error) => give_up(&mut connection, &error, &seen).await,
        }
    }
}

#[allow(clippy::unwrap_used)] // part of the test
async fn atomic(mut connection: AuthConnection, key: String, seen: Arc<Seen>) {
    let mut done = 0u64;
    while seen.goes_on() {
        let mut piece = pipe();
        piece.atomic().incr(&key, 1).incr(&key, 1);
        let replies: (u64, u64) = piece.query_async(&mut connection).await.unwrap();
        assert_eq!(replies, (done + 1, done + 2));
        done += 2;
        count(&seen.atomic);
    }
}

#[allow(clippy::unwrap_used)] // part of the test
async fn script(mut connection: AuthConnection, key: String, seen: Arc<Seen>) {
    let script = Script::new("redis.call('INCR', KEYS[1]) return redis.call('INCR', KEYS[1])");
    let mut done = 0u64;
    while seen.goes_on() {
        let reply: u64 = script
            .key(&key)
            .invoke_async(&mut connection)
            .await
            .unwrap();
        done += 2;
        assert_eq!(reply, done);
        count(&seen.scripts);
    }
}

#[allow(clippy::unwrap_used)] // the body of several tests
async fn run(bed: Bed) {
    let seen = Arc::new(Seen::default());
    let mut tasks = JoinSet::new();
    for task in 0..2 {
        let key = format!("raw:{task}");
        tasks.spawn(raw(bed.multiplexed().await, key, Arc::clone(&seen)));
        tasks.spawn(watched(bed.multiplexed().await, Arc::clone(&seen)));
    }
    let shared = bed.multiplexed().await;
    for task in 0..3 {
        let (one, two) = (format!("atomic:{task}"), format!("script:{task}"));
        tasks.spawn(atomic(shared.clone(), one, Arc::clone(&seen)));
        tasks.spawn(script(shared.clone(), two, Arc::clone(&seen)));
    }
    for _ in 0..ROTATIONS {
        bed.turn().await;
        assert_eq!(tasks.len(), 10, "none ends early");
        if let Some(ended) = tasks.try_join_next() {
            panic!("a task has ended: {ended:?}");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    seen.stop.store(true, Ordering::SeqCst);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    let redis = bed.emulator.redis();
    println!(
        "{} rotations, {} AUTHs, {} replacements; {seen:?}",
        bed.rotations(),
        redis.auths(),
        bed.replacements(),
    );
    let counted: u64 = shared.clone().get("watched").await.unwrap();
    assert_eq!(counted, seen.watched.load(Ordering::SeqCst));
    for done in [&seen.raw, &seen.watched, &seen.atomic, &seen.scripts] {
        assert!(done.load(Ordering::SeqCst) > 0);
    }
    assert_eq!(redis.auths_in_transactions(), 0);
    assert_eq!(redis.closed_by_expiry(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_rotations() {
    run(Bed::builder().brisk().start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_rotations_in_resp3() {
    run(Bed::builder().brisk().resp3().start().await).await;
}
