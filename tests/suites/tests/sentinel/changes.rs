//! Another server becomes the master: the connection follows by itself, and
//! what the application sees is no worse than with redis-rs's own client and a
//! password that never changes, beside it in the same run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncCommands, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, Value,
};
use redis_authx::Event;
use redis_authx_suites::{Load, Seen};

use super::*;

/// What the one client has to be luckier than the other: commands that are
/// under way, and turns of waiting.
const LUCK: u64 = 20;

/// redis-rs's own, with a token that outlives the test for its password.
fn with_a_password(bed: &Bed) -> SentinelClient {
    let token = bed.emulator.issue_token(Duration::from_secs(3600));
    let sentinels = control(bed).sentinel_urls().iter().map(|url| {
        let info = url.as_str().into_connection_info().unwrap();
        info.addr().clone()
    });
    let sentinels: Vec<ConnectionAddr> = sentinels.collect();
    let name = control(bed).master_name();
    SentinelClientBuilder::new(sentinels, name, SentinelServerType::Master)
        .unwrap()
        .set_client_to_redis_username(bed.emulator.object_id())
        .set_client_to_redis_password(token)
        .build()
        .unwrap()
}

/// One task that does as redis-rs's documentation says: a connection of the
/// client, and another when a command has failed.
struct Theirs {
    stop: Arc<AtomicBool>,
    failed: Arc<AtomicU64>,
    acknowledged: Arc<AtomicU64>,
    task: tokio::task::JoinHandle<()>,
}

impl Theirs {
    fn start(bed: &Bed) -> Self {
        let mut client = with_a_password(bed);
        let stop = Arc::new(AtomicBool::new(false));
        let failed = Arc::new(AtomicU64::new(0));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let (stopped, failures, done) = (
            Arc::clone(&stop),
            Arc::clone(&failed),
            Arc::clone(&acknowledged),
        );
        let task = tokio::spawn(async move {
            let mut connection = None;
            while !stopped.load(Ordering::SeqCst) {
                let result = async {
                    if connection.is_none() {
                        let config = patient();
                        let opened = client.get_async_connection_with_config(&config);
                        connection = Some(opened.await?);
                    }
                    let connection = connection.as_mut().unwrap();
                    connection.incr::<_, _, u64>("theirs", 1).await
                };
                if result.await.is_ok() {
                    done.fetch_add(1, Ordering::SeqCst);
                } else {
                    connection = None;
                    failures.fetch_add(1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        });
        Self {
            stop,
            failed,
            acknowledged,
            task,
        }
    }

    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
        self.failed.load(Ordering::SeqCst)
    }
}

/// Both clients under load, while `change` makes another node the master, and
/// tokens rotate.
async fn is_followed(what: &str, bed: BedBuilder, change: impl AsyncFnOnce(&Bed) -> usize) {
    let bed = bed.calm().start().await;
    control(&bed).wait_until_ok().await.unwrap();
    let connection = waiting(&bed).await;
    let ours = Load::start(std::slice::from_ref(&connection), 1);
    let theirs = Theirs::start(&bed);
    bed.rotate(1).await;
    let rotations = bed.rotations();
    let master = change(&bed).await;
    bed.until("the new master is connected to, and no other", |bed| {
        connected_to(bed) == BTreeSet::from([master])
    })
    .await;
    // What was under way has been counted.
    let changed = ours.seen().acknowledged;
    bed.until("ours answers", |_| ours.seen().acknowledged > changed)
        .await;
    let calm = (ours.seen(), theirs.acknowledged.load(Ordering::SeqCst));
    bed.rotate(2).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    bed.until("both answer", |_| {
        ours.seen().acknowledged > calm.0.acknowledged
            && theirs.acknowledged.load(Ordering::SeqCst) > calm.1
    })
    .await;
    let rotations = bed.rotations() - rotations;
    let (ours, theirs) = (ours.stop().await, theirs.stop().await);
    println!(
        "{what}, {rotations} rotations: {} of {} failed, with a password {theirs}; {:?}",
        ours.failed, ours.acknowledged, ours.errors
    );
    assert!(ours.failed <= theirs + LUCK, "{ours:#?}, theirs: {theirs}");
    assert_eq!(ours.failed, calm.0.failed, "{ours:#?}");
    assert_logged_in(&bed, &ours);
}

/// No token was to blame for anything.
fn assert_logged_in(bed: &Bed, seen: &Seen) {
    let redis = bed.emulator.redis();
    assert_eq!(redis.auths_refused() + redis.closed_by_expiry(), 0);
    let about_tokens = |text: &&String| text.contains("NOAUTH") || text.contains("logged in");
    assert_eq!(seen.errors.iter().find(about_tokens), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_by_command_is_followed() {
    is_followed("failover by command", bed(), async |bed| {
        let master = control(bed).fail_over().await.unwrap();
        control(bed).wait_until_ok().await.unwrap();
        master
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_is_killed_is_left() {
    is_followed("killed master", bed().resp3(), async |bed| {
        let killed = control(bed).kill_master().await.unwrap();
        control(bed).wait_for_takeover(killed).await.unwrap()
    })
    .await;
}

/// It goes on as one for some ten seconds, and what is written there is lost.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_master_is_left_before_it_knows() {
    let bed = lasting().await;
    control(&bed).wait_until_ok().await.unwrap();
    let old = control(&bed).master().await.unwrap();
    let connection = waiting(&bed).await;
    let load = Load::start(std::slice::from_ref(&connection), 4);
    bed.until("every sentinel is listened to", |bed| {
        control(bed).sentinels().connections() == 3
    })
    .await;
    // Now, for it knows after ten seconds.
    let token = bed.emulator.issue_token(Duration::from_secs(600));
    let info = control(&bed).urls()[old].as_str().into_connection_info();
    let settings = RedisConnectionInfo::default()
        .set_username(bed.emulator.object_id())
        .set_password(token);
    let client = Client::open(info.unwrap().set_redis_settings(settings)).unwrap();
    let mut direct = client
        .get_multiplexed_async_connection_with_config(&patient())
        .await
        .unwrap();
    let new = control(&bed).fail_over().await.unwrap();
    bed.until("the new master is connected to, and the old by us", |bed| {
        let reports = bed.emulator.redis().connection_reports();
        let open = reports.iter().filter(|report| report.open);
        let mut nodes: Vec<usize> = open.map(|report| report.node).collect();
        nodes.sort_unstable();
        nodes == [old.min(new), old.max(new)]
    })
    .await;
    let role: Vec<Value> = redis::cmd("ROLE").query_async(&mut direct).await.unwrap();
    assert_eq!(role[0], Value::BulkString(b"master".to_vec()));
    load.stop().await;
    drop(connection);
    bed.until("no sentinel is listened to any more", |bed| {
        control(bed).sentinels().connections() == 0
    })
    .await;
}

/// An old master may close no connection, and refuse what it is sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_takes_no_writes_is_left() {
    let replacements = |bed: &Bed| bed.count(|event| matches!(event, Event::Replaced { .. }));
    let bed = lasting().await;
    let mut connection = waiting(&bed).await;
    let scripts = [
        "return redis.error_reply('READONLY You can not write against a replica.')",
        "return redis.error_reply('MASTERDOWN Link with MASTER is down.')",
    ];
    for (round, script) in scripts.into_iter().enumerate() {
        let mut refuse = redis::cmd("EVAL");
        refuse.arg(script).arg(0);
        let refused = refuse.query_async::<()>(&mut connection).await;
        let code = script.split(['\'', ' ']).nth(2);
        assert_eq!(refused.unwrap_err().code(), code);
        bed.until("the sentinels are asked anew", |bed| {
            replacements(bed) == round + 1
        })
        .await;
        let () = connection.set(KEY, 1).await.unwrap();
    }
}
