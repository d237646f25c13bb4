//! What redis-rs builds on a connection: scripts and iterators, over rotations
//! and replacements.

use std::collections::BTreeSet;

use redis::{AsyncCommands, Script, cmd};
use redis_authx_redis::AuthConnection;
use redis_authx_suites::Bed;

const fn is_shared<T: Clone + Send + Sync + 'static>() {}
const _: () = is_shared::<AuthConnection>();

/// `EVALSHA`, and where the server does not know the script, `SCRIPT LOAD` and
/// once more.
#[tokio::test(flavor = "multi_thread")]
async fn a_script_is_loaded_where_it_is_missing() {
    let bed = Bed::builder().brisk().start().await;
    let mut connection = bed.multiplexed().await;
    let script = Script::new("return redis.call('INCRBY', KEYS[1], ARGV[1])");
    for round in 1..=10u64 {
        if round % 2 == 0 {
            bed.replace().await;
        } else {
            bed.turn().await;
        }
        () = cmd("SCRIPT")
            .arg("FLUSH")
            .query_async(&mut connection)
            .await
            .unwrap();
        let mut call = script.key("count");
        let count: u64 = call.arg(2).invoke_async(&mut connection).await.unwrap();
        assert_eq!(count, 2 * round);
    }
    assert!(bed.replacements() >= 5);
}

/// The cursor is good on any connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_scan_goes_on_over_rotations_and_replacements() {
    const KEYS: usize = 500;

    let bed = Bed::builder().brisk().start().await;
    let mut connection = bed.multiplexed().await;
    let keys: BTreeSet<String> = (0..KEYS).map(|key| format!("key:{key}")).collect();
    for key in &keys {
        () = connection.set(key, 1).await.unwrap();
    }
    let mut found = BTreeSet::new();
    let mut scan = connection.scan_match::<_, String>("key:*").await.unwrap();
    while let Some(key) = scan.next_item().await {
        found.insert(key.unwrap());
        match found.len() % 100 {
            0 => bed.replace().await,
            50 => bed.turn().await,
            _ => {}
        }
    }
    drop(scan);
    assert_eq!(found, keys);
    assert!(bed.replacements() >= 5);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}
