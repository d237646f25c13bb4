//! Sync connections across rotations, used and idle.

use std::thread;
use std::time::Duration;

use redis::{Commands, ConnectionLike, RedisResult, Script, cmd, pipe};
use redis_authx::{ManagerState, RefreshPolicy, TokenManager};
use redis_authx_emulator::{Emulator, Store};
use redis_authx_redis::{AuthClient, AuthSyncConnection};
use redis_authx_suites::{Bed, KEY, PATIENCE, Threaded, blocking, prompt};
use redis_authx_threads::Threads;

fn count(_: usize, connection: &mut AuthSyncConnection) -> RedisResult<()> {
    connection.incr(KEY, 1)
}

/// 8 threads with a connection each, tokens of 8 s, 12 rotations: nothing
/// fails, nothing is lost, and every connection sends one AUTH a rotation.
#[allow(clippy::unwrap_used)] // the body of several tests
async fn threads_live_through_rotations(bed: Bed) {
    const THREADS: usize = 8;
    let load = Threaded::start(&bed.client, THREADS, count).await;
    bed.rotate(12).await;
    let mut worked = load.stop().await;
    bed.sync_settled(&worked.connections).await;
    // The first token may have been replaced while they were opened.
    let reports = bed.emulator.redis().connection_reports();
    assert!(worked.errors.is_empty(), "{:?}", worked.errors);
    assert!(worked.done > 0);
    let mut connection = worked.connections.remove(0);
    let counted: u64 = blocking(move || connection.get(KEY)).await.unwrap();
    assert_eq!(counted, worked.done);
    let redis = bed.emulator.redis();
    assert_eq!(redis.connections_accepted(), THREADS as u64, "replaced");
    assert_eq!(redis.closed_by_expiry(), 0);
    assert_eq!(redis.auths_refused(), 0);
    assert!(
        reports
            .iter()
            .all(|report| report.auths_with_same_token == 0)
    );
    // One that is late on a busy machine goes without a token or two.
    assert!(reports.iter().all(|report| report.auths_accepted >= 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_live_through_a_dozen_rotations() {
    threads_live_through_rotations(Bed::builder().outlived().start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_is_no_different() {
    threads_live_through_rotations(Bed::builder().outlived().resp3().start().await).await;
}

/// Two lifetimes without a command, as in a pool.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_outlive_their_tokens() {
    let bed = Bed::builder().outlived().start().await;
    let connections = [bed.sync().await, bed.sync().await, bed.sync().await];
    bed.rotate(12).await;
    bed.sync_settled(&connections).await;
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.redis().connections_accepted(), 3, "replaced");
    for mut connection in connections {
        assert!(connection.is_open());
        blocking(move || connection.set::<_, _, ()>(KEY, 1))
            .await
            .unwrap();
    }
}

/// All that redis-rs does with a connection works with this one.
#[allow(clippy::unwrap_used)] // the body of several tests
fn is_used_like_redis_rs(connection: &mut AuthSyncConnection) {
    assert!(connection.is_open() && connection.check_connection());
    assert!(connection.supports_pipelining());
    assert_eq!(connection.get_db(), 0);
    let pairs: Vec<(String, u64)> = (0..300).map(|n| (format!("scan:{n}"), n)).collect();
    () = connection.mset(&pairs).unwrap();
    let scan = connection.scan_match::<_, String>("scan:*").unwrap();
    assert_eq!(scan.map(Result::unwrap).count(), pairs.len());

    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for sum in [5, 10] {
        let invoked = script.key("sum").arg(5).invoke::<u64>(connection);
        assert_eq!(invoked.unwrap(), sum);
    }

    let plain: (u64, u64) = pipe().incr("p", 1).incr("p", 1).query(connection).unwrap();
    assert_eq!(plain, (1, 2));
    let mut atomic = pipe();
    atomic.atomic().incr("p", 1).set("q", 1).ignore();
    assert_eq!(atomic.query::<(u64,)>(connection).unwrap(), (3,));
    let failing = pipe().atomic().cmd("INCR").query::<()>(connection);
    assert!(failing.is_err());
    let wrong = connection.lpush::<_, _, u64>("p", 1).unwrap_err();
    assert_eq!(wrong.code(), Some("WRONGTYPE"));
    // Nobody reads a reply, and the next command gets its own.
    cmd("PUBLISH").arg("c").arg("m").exec(connection).unwrap();
    assert_eq!(connection.get::<_, u64>("p").unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_redis_rs_does_with_a_connection() {
    for bed in [Bed::builder(), Bed::builder().resp3()] {
        let bed = bed.lifetime(Duration::from_secs(600)).start().await;
        let mut connection = bed.sync().await;
        blocking(move || is_used_like_redis_rs(&mut connection)).await;
        assert_eq!(bed.emulator.redis().connections_accepted(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_dropped_is_forgotten() {
    let bed = Bed::builder().start().await;
    let connection = bed.sync().await;
    assert_eq!(bed.manager.status().connections, 1);
    drop(connection);
    bed.until("the socket is closed", |bed| {
        bed.emulator.redis().connections() == 0
    })
    .await;
    assert_eq!(bed.manager.status().connections, 0);
}

/// Journey 4: no async runtime in the program. The emulator's is its own.
#[test]
fn a_program_on_plain_threads() {
    let tokio = tokio::runtime::Runtime::new().unwrap();
    let emulator = Emulator::builder()
        .token_lifetime(Duration::from_secs(8))
        .store(Store::RedisServer);
    let emulator = tokio.block_on(emulator.start()).unwrap();
    let identity = emulator.client_secret_identity().unwrap();

    let often = RefreshPolicy::builder().expiration_refresh_ratio(0.19);
    let manager = TokenManager::builder(identity)
        .refresh_policy(often.build().unwrap())
        .spawn(Threads)
        .unwrap();
    let client = AuthClient::builder(emulator.redis_url(), manager.credentials())
        .reauth_policy(prompt().build().unwrap())
        .build()
        .unwrap();
    let mut connection = client.connection().unwrap();
    let start = std::time::Instant::now();
    let mut done = 0;
    // Until the first token has expired.
    while manager.status().generation < 8 {
        assert!(start.elapsed() < PATIENCE, "{:?}", manager.status());
        let counted: u64 = connection.incr(KEY, 1).unwrap();
        done += 1;
        assert_eq!(counted, done);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(emulator.redis().connections_accepted(), 1);
    assert_eq!(emulator.redis().closed_by_expiry(), 0);
    assert_eq!(manager.status().state, ManagerState::Valid);
}
