//! Transactions on sync connections: no AUTH inside, and none that is half
//! gone.

use std::time::Duration;

use redis::{Commands, RedisResult, Script, cmd, pipe};
use redis_authx::{Event, ReauthPolicy};
use redis_authx_redis::AuthSyncConnection;
use redis_authx_suites::{Bed, KEY, Threaded, blocking};

/// Each kind in turn, on keys of this thread alone: every reply is its own.
fn transact(thread: usize, connection: &mut AuthSyncConnection) -> RedisResult<()> {
    let key = format!("count:{thread}");
    let before: u64 = connection.get::<_, Option<u64>>(&key)?.unwrap_or(0);

    // Raw, five commands.
    cmd("MULTI").exec(connection)?;
    for _ in 0..3 {
        let queued: String = cmd("INCR").arg(&key).query(connection)?;
        assert_eq!(queued, "QUEUED");
    }
    let replies: Vec<u64> = cmd("EXEC").query(connection)?;
    assert_eq!(replies, [before + 1, before + 2, before + 3]);

    // The same in two pipelines, neither of which is atomic.
    pipe().cmd("MULTI").cmd("INCR").arg(&key).exec(connection)?;
    let (queued, replies): (String, Vec<u64>) =
        pipe().cmd("INCR").arg(&key).cmd("EXEC").query(connection)?;
    assert_eq!(
        (queued.as_str(), replies),
        ("QUEUED", vec![before + 4, before + 5])
    );

    // In one piece.
    let (one, two): (u64, u64) = pipe()
        .atomic()
        .incr(&key, 1)
        .incr(&key, 1)
        .query(connection)?;
    assert_eq!((one, two), (before + 6, before + 7));
    let script = Script::new("redis.call('INCR', KEYS[1]); return redis.call('INCR', KEYS[1])");
    assert_eq!(script.key(&key).invoke::<u64>(connection)?, before + 9);

    // A loop that watches.
    let (sum,): (u64,) = redis::transaction(connection, &[&key], |connection, pipe| {
        let value: u64 = connection.get(&key)?;
        pipe.set(&key, value + 1)
            .ignore()
            .get(&key)
            .query(connection)
    })?;
    assert_eq!(sum, before + 10);

    // One that is given up.
    cmd("MULTI").exec(connection)?;
    connection.incr::<_, _, String>(&key, 1)?;
    cmd("DISCARD").exec(connection)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_auth_gets_into_any_kind_of_transaction() {
    const THREADS: usize = 4;
    let bed = Bed::builder().outlived().start().await;
    let load = Threaded::start(&bed.client, THREADS, transact).await;
    bed.rotate(10).await;
    let worked = load.stop().await;
    bed.sync_settled(&worked.connections).await;
    assert!(worked.errors.is_empty(), "{:?}", worked.errors);
    assert!(worked.done > 0);
    let redis = bed.emulator.redis();
    assert_eq!(redis.auths_in_transactions(), 0);
    assert_eq!(redis.closed_by_expiry(), 0);
    assert_eq!(redis.connections_accepted(), THREADS as u64, "replaced");
}

#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn exec(connection: AuthSyncConnection, command: &str) -> AuthSyncConnection {
    let command = command.to_owned();
    blocking(move || {
        let mut connection = connection;
        let mut words = command.split(' ');
        let mut cmd = cmd(words.next().unwrap());
        words.for_each(|word| _ = cmd.arg(word));
        cmd.exec(&mut connection).unwrap();
        connection
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_multi_left_open_is_waited_for_until_it_ends() {
    let bed = Bed::builder().start().await;
    let mut connection = exec(bed.sync().await, "MULTI").await;
    let before = bed.emulator.redis().auths();
    bed.rotate(1).await;
    let connection = blocking(move || {
        assert_eq!(connection.incr::<_, _, String>(KEY, 1).unwrap(), "QUEUED");
        let replies: Vec<u64> = cmd("EXEC").query(&mut connection).unwrap();
        assert_eq!(replies, [1]);
        connection
    })
    .await;
    bed.sync_settled(&[connection]).await;
    let redis = bed.emulator.redis();
    assert!(redis.auths() > before);
    assert_eq!(redis.auths_in_transactions(), 0);
    assert_eq!(redis.connections_accepted(), 1, "replaced");
}

fn replacements(bed: &Bed) -> usize {
    bed.count(|event| matches!(event, Event::Replaced { .. }))
}

/// A transaction that is open for longer than its token is to be kept: it has
/// 1.5 s, and is replaced long before it expires.
#[tokio::test(flavor = "multi_thread")]
async fn a_multi_that_is_replaced_is_not_executed_one_by_one() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(60))
        .reauth(ReauthPolicy::builder().replace_after(0.025))
        .start()
        .await;
    for end in ["EXEC", "DISCARD"] {
        let before = replacements(&bed);
        let connection = exec(bed.sync().await, "MULTI").await;
        let mut connection = exec(connection, "SET k inside").await;
        bed.turn().await;
        bed.until("it is replaced", |bed| replacements(bed) > before)
            .await;
        blocking(move || {
            for _ in 0..2 {
                let refused = connection.set::<_, _, ()>("k", "outside").unwrap_err();
                assert!(refused.is_connection_dropped(), "{refused}");
                assert!(refused.to_string().contains("inside a MULTI"), "{refused}");
            }
            let ended = cmd(end).exec(&mut connection);
            assert_eq!(ended.is_ok(), end == "DISCARD", "{ended:?}");
            assert_eq!(connection.get::<_, Option<String>>("k").unwrap(), None);
            connection.set::<_, _, ()>("other", 1).unwrap();
        })
        .await;
    }
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
}

/// The same when the server hangs up inside of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_multi_that_is_lost_is_not_executed_one_by_one() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let mut connection = exec(bed.sync().await, "MULTI").await;
    bed.hang_up().await;
    blocking(move || {
        assert!(connection.set::<_, _, ()>("k", 1).is_err());
        let refused = connection.set::<_, _, ()>("k", 2).unwrap_err();
        assert!(refused.to_string().contains("inside a MULTI"), "{refused}");
        assert!(cmd("EXEC").exec(&mut connection).is_err());
        assert_eq!(connection.get::<_, Option<u64>>("k").unwrap(), None);
        // An EXEC that itself finds out is the end of it.
        cmd("MULTI").exec(&mut connection).unwrap();
        connection
    })
    .await;
}

/// A WATCH does not hold an AUTH up, and survives it.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_lives_through_rotations() {
    let bed = Bed::builder().start().await;
    let connection = exec(bed.sync().await, "SET k 1").await;
    let connection = [exec(connection, "WATCH k").await];
    for _ in 0..2 {
        bed.rotate(1).await;
        bed.sync_settled(&connection).await;
    }
    assert_eq!(bed.emulator.redis().connections_accepted(), 1, "replaced");
    let [mut connection] = connection;
    let mut other = bed.sync().await;
    blocking(move || {
        let mut set = pipe();
        set.atomic().set("k", 2).ignore().get("k");
        assert_eq!(
            set.query::<Option<(u64,)>>(&mut connection).unwrap(),
            Some((2,))
        );
        cmd("WATCH").arg("k").exec(&mut connection).unwrap();
        other.set::<_, _, ()>("k", 3).unwrap();
        assert_eq!(set.query::<Option<(u64,)>>(&mut connection).unwrap(), None);
    })
    .await;
}

/// A WATCH that goes with its connection counts as a key that has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_is_lost_executes_nothing() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let mut connection = exec(bed.sync().await, "SET k 1").await;
    // In one piece, one by one, and in a pipeline that has no place for a nil.
    for way in 0..3 {
        connection = exec(connection, "WATCH k").await;
        bed.hang_up().await;
        connection = blocking(move || {
            assert!(connection.get::<_, u64>("k").is_err());
            assert_eq!(connection.get::<_, u64>("k").unwrap(), 1);
            match way {
                0 => {
                    let mut set = pipe();
                    set.atomic().set("k", 2).ignore().get("k");
                    let nil = set.query::<Option<(u64,)>>(&mut connection);
                    assert_eq!(nil.unwrap(), None);
                }
                1 => {
                    cmd("MULTI").exec(&mut connection).unwrap();
                    assert_eq!(connection.set::<_, _, String>("k", 2).unwrap(), "QUEUED");
                    let nil = cmd("EXEC").query::<Option<Vec<String>>>(&mut connection);
                    assert_eq!(nil.unwrap(), None);
                }
                _ => {
                    let mut set = pipe();
                    set.cmd("MULTI").set("k", 2).cmd("EXEC");
                    let refused = set.exec(&mut connection).unwrap_err();
                    assert!(refused.to_string().contains("after WATCH"), "{refused}");
                }
            }
            // Nothing was executed, and that was it.
            assert_eq!(connection.get::<_, u64>("k").unwrap(), 1);
            let mut set = pipe();
            set.atomic().set("k", 1).ignore().get("k");
            assert_eq!(
                set.query::<Option<(u64,)>>(&mut connection).unwrap(),
                Some((1,))
            );
            connection
        })
        .await;
    }
}

/// Without a reply nobody knows whether a transaction is open: the connection
/// is replaced. What is not part of one only times out.
#[tokio::test(flavor = "multi_thread")]
async fn an_exec_without_a_reply_costs_the_connection() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let mut connection = bed.sync().await;
    let brief = Duration::from_millis(100);
    let mut connection = blocking(move || {
        connection.set_read_timeout(Some(brief)).unwrap();
        let timed_out = connection.blpop::<_, ()>("none", 0.5).unwrap_err();
        assert!(timed_out.is_timeout(), "{timed_out}");
        connection.set_read_timeout(None).unwrap();
        assert_eq!(connection.get::<_, Option<u64>>(KEY).unwrap(), None);
        connection
    })
    .await;
    assert_eq!(replacements(&bed), 0);
    blocking(move || {
        cmd("MULTI").exec(&mut connection).unwrap();
        cmd("EVAL")
            .arg("local t = redis.call('TIME')[1]; while redis.call('TIME')[1] - t < 2 do end")
            .arg(0)
            .exec(&mut connection)
            .unwrap();
        connection.set_read_timeout(Some(brief)).unwrap();
        let timed_out = cmd("EXEC").exec(&mut connection).unwrap_err();
        assert!(timed_out.is_timeout(), "{timed_out}");
        connection
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        connection.set::<_, _, ()>(KEY, 1).unwrap();
    })
    .await;
    bed.until("it is replaced", |bed| replacements(bed) == 1)
        .await;
}
