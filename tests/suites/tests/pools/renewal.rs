//! Connections in a pool are renewed, in use or not.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis::{AsyncCommands, Commands};
use redis_authx::ReauthPolicy;
use redis_authx_redis::AuthClient;
use redis_authx_suites::{Bed, KEY, blocking};

use crate::{SIZE, bb8, deadpool, r2d2};

/// Takes a connection out, uses it and puts it back, over and over.
#[derive(Clone, Default)]
struct Users {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
}

impl Users {
    fn goes_on(&self) -> bool {
        self.done.fetch_add(1, Ordering::SeqCst);
        !self.stop.load(Ordering::SeqCst)
    }
}

const USERS: usize = 8;

/// More users than connections, over a dozen rotations: nothing fails, and no
/// connection is another than in the beginning.
#[allow(clippy::unwrap_used)] // the body of several tests
async fn is_renewed_under_load(bed: &Bed, users: Users, tasks: Vec<tokio::task::JoinHandle<()>>) {
    bed.rotate(12).await;
    users.stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(users.done.load(Ordering::SeqCst) > 0);
    let redis = bed.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    assert_eq!(redis.connections_accepted(), u64::from(SIZE), "replaced");
    let reports = redis.connection_reports();
    assert!(
        reports
            .iter()
            .all(|report| report.auths_with_same_token == 0)
    );
    // One that is late on a busy machine goes without a token or two.
    assert!(reports.iter().all(|report| report.auths_accepted >= 10));
}

async fn short() -> Bed {
    Bed::builder().outlived().start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn r2d2_is_renewed_under_load() {
    let (bed, users) = (short().await, Users::default());
    let pool = r2d2(&bed.client, SIZE).await;
    let task = |_| {
        let (pool, users) = (pool.clone(), users.clone());
        tokio::task::spawn_blocking(move || {
            while users.goes_on() {
                let mut connection = pool.get().unwrap();
                let _: u64 = connection.incr(KEY, 1).unwrap();
            }
        })
    };
    let tasks = (0..USERS).map(task).collect();
    is_renewed_under_load(&bed, users, tasks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bb8_is_renewed_under_load() {
    let (bed, users) = (short().await, Users::default());
    let pool = bb8(&bed.client, SIZE).await;
    let task = |_| {
        let (pool, users) = (pool.clone(), users.clone());
        tokio::spawn(async move {
            while users.goes_on() {
                let mut connection = pool.get().await.unwrap();
                let _: u64 = connection.incr(KEY, 1).await.unwrap();
            }
        })
    };
    let tasks = (0..USERS).map(task).collect();
    is_renewed_under_load(&bed, users, tasks).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deadpool_is_renewed_under_load() {
    let (bed, users) = (short().await, Users::default());
    let pool = deadpool(&bed.client, SIZE as usize).await;
    let task = |_| {
        let (pool, users) = (pool.clone(), users.clone());
        tokio::spawn(async move {
            while users.goes_on() {
                let mut connection = pool.get().await.unwrap();
                let _: u64 = connection.incr(KEY, 1).await.unwrap();
            }
        })
    };
    let tasks = (0..USERS).map(task).collect();
    is_renewed_under_load(&bed, users, tasks).await;
}

/// Two lifetimes in the pool, unused: all are there, and logged in.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_outlive_their_tokens() {
    const EACH: u64 = 3;
    let bed = short().await;
    let sync = r2d2(&bed.client, EACH as u32).await;
    let bb8 = bb8(&bed.client, EACH as u32).await;
    let deadpool = deadpool(&bed.client, EACH as usize).await;
    bed.rotate(12).await;
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    // All of each at once.
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..EACH {
        ours.push(bb8.get().await.unwrap());
        theirs.push(deadpool.get().await.unwrap());
    }
    for connection in &mut ours {
        let _: u64 = connection.incr(KEY, 1).await.unwrap();
    }
    for connection in &mut theirs {
        let _: u64 = connection.incr(KEY, 1).await.unwrap();
    }
    blocking(move || {
        let mut held: Vec<_> = (0..EACH).map(|_| sync.get().unwrap()).collect();
        for connection in &mut held {
            let _: u64 = connection.incr(KEY, 1).unwrap();
        }
    })
    .await;
    assert_eq!(bed.emulator.redis().connections_accepted(), 3 * EACH);
}

/// The AUTHs of a pool are spread, and no more are under way than allowed.
#[tokio::test(flavor = "multi_thread")]
async fn a_whole_pool_is_staggered() {
    const POOL: u32 = 40;
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(40))
        .start()
        .await;
    // A twentieth of at least 20 s, two at a time.
    let policy = ReauthPolicy::builder().stagger(0.05).max_in_flight(2);
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .reauth_policy(policy.build().unwrap())
        .build()
        .unwrap();
    let pool = r2d2(&client, POOL).await;
    bed.turn().await;
    let newest = |bed: &Bed| bed.emulator.redis().auths() == 2 * u64::from(POOL);
    bed.until("all have the new token", newest).await;
    let reports = bed.emulator.redis().connection_reports();
    let times = reports.iter().map(|report| report.last_auth_at.unwrap());
    let (first, last) = (times.clone().min().unwrap(), times.max().unwrap());
    assert!(last - first >= Duration::from_millis(500), "a burst");
    assert_eq!(pool.state().connections, POOL);
}
