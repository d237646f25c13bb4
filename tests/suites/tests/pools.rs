//! Our connections in pools: r2d2, bb8 and deadpool.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::{AsyncCommands, Commands, ConnectionLike, cmd, pipe};
use redis_authx::reauth::ReauthPolicy;
use redis_authx_redis::{AuthClient, AuthConnection, PoolManager};
use redis_authx_suites::{Bed, KEY, PATIENCE, blocking, patient};

type Bb8 = bb8::Pool<PoolManager<AuthConnection>>;
type Deadpool = deadpool::managed::Pool<PoolManager<AuthConnection>>;
type R2d2 = r2d2::Pool<AuthClient>;

/// With time limits that a busy machine does not run into.
fn manager(client: &AuthClient) -> PoolManager<AuthConnection> {
    PoolManager::new(client, |client| async move {
        client.multiplexed_with_config(patient()).await
    })
}

/// Each is full from the beginning.
#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn bb8(client: &AuthClient, size: u32) -> Bb8 {
    let pool = bb8::Pool::builder()
        .max_size(size)
        .min_idle(size)
        .connection_timeout(PATIENCE);
    pool.build(manager(client)).await.unwrap()
}

#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn deadpool(client: &AuthClient, size: usize) -> Deadpool {
    let pool = Deadpool::builder(manager(client)).max_size(size);
    let pool = pool.build().unwrap();
    let mut held = Vec::new();
    for _ in 0..size {
        held.push(pool.get().await.unwrap());
    }
    pool
}

#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn r2d2(client: &AuthClient, size: u32) -> R2d2 {
    let (pool, client) = (r2d2::Pool::builder(), client.clone());
    let pool = pool.max_size(size).connection_timeout(PATIENCE);
    blocking(move || pool.build(client).unwrap()).await
}

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
const SIZE: u32 = 4;

/// More users than connections, over ten rotations: nothing fails, and no
/// connection is another than in the beginning.
#[allow(clippy::unwrap_used)] // the body of several tests
async fn is_renewed_under_load(bed: &Bed, users: Users, tasks: Vec<tokio::task::JoinHandle<()>>) {
    bed.rotate(10).await;
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
    assert!(reports.iter().all(|report| report.auths_accepted >= 10));
}

async fn short() -> Bed {
    let short = Bed::builder().lifetime(Duration::from_secs(2));
    short.start().await
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

/// Three lifetimes in the pool, unused: all are there, and logged in.
#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_outlive_their_tokens() {
    const EACH: u64 = 3;
    let bed = short().await;
    let sync = r2d2(&bed.client, EACH as u32).await;
    let bb8 = bb8(&bed.client, EACH as u32).await;
    let deadpool = deadpool(&bed.client, EACH as usize).await;
    bed.rotate(6).await;
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
    bed.manager.refresh();
    bed.rotate(1).await;
    let newest = |bed: &Bed| bed.emulator.redis().auths() == 2 * u64::from(POOL);
    bed.until("all have the new token", newest).await;
    let reports = bed.emulator.redis().connection_reports();
    let times = reports.iter().map(|report| report.last_auth_at.unwrap());
    let (first, last) = (times.clone().min().unwrap(), times.max().unwrap());
    assert!(last - first >= Duration::from_millis(500), "a burst");
    assert_eq!(pool.state().connections, POOL);
}

async fn long() -> Bed {
    let long = Bed::builder().lifetime(Duration::from_secs(600));
    long.start().await
}

/// What was lost in the pool is not handed out: no command fails.
#[tokio::test(flavor = "multi_thread")]
async fn lost_connections_are_not_handed_out() {
    let bed = long().await;
    let sync = r2d2(&bed.client, SIZE).await;
    let bb8 = bb8(&bed.client, SIZE).await;
    let deadpool = deadpool(&bed.client, SIZE as usize).await;
    bed.hang_up().await;
    for _ in 0..SIZE {
        let mut connection = bb8.get().await.unwrap();
        let _: u64 = connection.incr(KEY, 1).await.unwrap();
        let mut connection = deadpool.get().await.unwrap();
        let _: u64 = connection.incr(KEY, 1).await.unwrap();
    }
    blocking(move || {
        for _ in 0..SIZE {
            let mut connection = sync.get().unwrap();
            let _: u64 = connection.incr(KEY, 1).unwrap();
        }
    })
    .await;
}

/// What its last user has logged out, or left inside a transaction.
#[tokio::test(flavor = "multi_thread")]
async fn connections_left_unfit_are_not_handed_out() {
    let bed = long().await;
    let sync = r2d2(&bed.client, 1).await;
    let bb8 = bb8(&bed.client, 1).await;
    let deadpool = deadpool(&bed.client, 1).await;
    for left in ["RESET", "MULTI"] {
        let left = cmd(left);
        {
            let mut connection = bb8.get().await.unwrap();
            left.exec_async(&mut *connection).await.unwrap();
        }
        let mut connection = bb8.get().await.unwrap();
        () = connection.set(KEY, 1).await.unwrap();
        {
            let mut connection = deadpool.get().await.unwrap();
            left.exec_async(&mut *connection).await.unwrap();
        }
        let mut connection = deadpool.get().await.unwrap();
        () = connection.set(KEY, 1).await.unwrap();
        let sync = sync.clone();
        blocking(move || {
            {
                let mut connection = sync.get().unwrap();
                left.exec(&mut *connection).unwrap();
            }
            let mut connection = sync.get().unwrap();
            connection.set::<_, _, ()>(KEY, 1).unwrap();
        })
        .await;
    }
}

/// A key that the last user watched is not the next one's.
#[tokio::test(flavor = "multi_thread")]
async fn a_watch_does_not_pass_to_the_next_user() {
    let bed = long().await;
    let sync = r2d2(&bed.client, 1).await;
    let bb8 = bb8(&bed.client, 1).await;
    let deadpool = deadpool(&bed.client, 1).await;
    let mut other = bed.multiplexed().await;
    let mut watch = cmd("WATCH");
    watch.arg(KEY);
    let mut set = pipe();
    set.atomic().set("k", 1).ignore().get("k");

    watch
        .exec_async(&mut *bb8.get().await.unwrap())
        .await
        .unwrap();
    watch
        .exec_async(&mut *deadpool.get().await.unwrap())
        .await
        .unwrap();
    let (one, watched) = (sync.clone(), watch.clone());
    blocking(move || watched.exec(&mut *one.get().unwrap()).unwrap()).await;
    () = other.set(KEY, 1).await.unwrap();

    let done: Option<(u64,)> = set
        .query_async(&mut *bb8.get().await.unwrap())
        .await
        .unwrap();
    assert_eq!(done, Some((1,)));
    let done: Option<(u64,)> = set
        .query_async(&mut *deadpool.get().await.unwrap())
        .await
        .unwrap();
    assert_eq!(done, Some((1,)));
    let done = blocking(move || {
        set.query::<Option<(u64,)>>(&mut *sync.get().unwrap())
            .unwrap()
    });
    assert_eq!(done.await, Some((1,)));
}

/// Down and up again under load: it heals, and then nothing fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_no_end() {
    let bed = long().await;
    let sync = r2d2(&bed.client, SIZE).await;
    let bb8 = bb8(&bed.client, SIZE).await;
    let deadpool = deadpool(&bed.client, SIZE as usize).await;
    bed.emulator.redis().restart_server().await.unwrap();
    let start = Instant::now();
    let mut in_a_row = 0;
    while in_a_row < 3 * SIZE {
        assert!(start.elapsed() < PATIENCE, "it does not heal");
        // Clones share the socket; what is found lost goes when it is taken.
        let ours = bb8.get().await.ok().map(|taken| taken.clone());
        let theirs = deadpool.get().await.ok().map(|taken| taken.clone());
        let done = counts(ours).await && counts(theirs).await;
        in_a_row = if done { in_a_row + 1 } else { 0 };
    }
    blocking(move || {
        let mut in_a_row = 0;
        while in_a_row < 3 * SIZE {
            assert!(start.elapsed() < 2 * PATIENCE, "it does not heal");
            let taken = sync.get().ok();
            let done = taken.is_some_and(|mut taken| taken.incr::<_, _, u64>(KEY, 1).is_ok());
            in_a_row = if done { in_a_row + 1 } else { 0 };
        }
    })
    .await;
}

async fn counts(taken: Option<AuthConnection>) -> bool {
    match taken {
        Some(mut taken) => taken.incr::<_, _, u64>(KEY, 1).await.is_ok(),
        None => false,
    }
}

/// The client itself is a manager, as redis-rs's is.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_a_manager() {
    let bed = long().await;
    let pool = bb8::Pool::builder().max_size(2);
    let pool = pool.build(bed.client.clone()).await.unwrap();
    let other = deadpool::managed::Pool::builder(bed.client.clone()).max_size(2);
    let other: deadpool::managed::Pool<AuthClient> = other.build().unwrap();
    for lost in [false, true] {
        if lost {
            bed.hang_up().await;
        }
        for _ in 0..2 {
            let _: u64 = pool.get().await.unwrap().incr(KEY, 1).await.unwrap();
            let _: u64 = other.get().await.unwrap().incr(KEY, 1).await.unwrap();
        }
    }
    let shown = format!("{:?}", manager(&bed.client));
    assert!(shown.contains("AuthConnection"), "{shown}");
}

/// A closed connection that comes back to the pool is dropped there and then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_lost_does_not_come_back() {
    let bed = long().await;
    let sync = r2d2(&bed.client, 1).await;
    let bb8 = bb8::Pool::builder().max_size(1);
    let bb8 = bb8.build(bed.client.clone()).await.unwrap();
    let mut connection = bb8.get().await.unwrap();
    let held = sync.clone();
    let mut other = blocking(move || held.get().unwrap()).await;
    // Nobody is quicker to replace them.
    bed.emulator.redis().refuse_connections(true);
    bed.hang_up().await;
    assert!(connection.incr::<_, _, u64>(KEY, 1).await.is_err());
    blocking(move || {
        assert!(other.incr::<_, _, u64>(KEY, 1).is_err());
        drop(other);
    })
    .await;
    drop(connection);
    bed.until("neither is kept", |bed| {
        bed.manager.status().connections == 0
    })
    .await;
    bed.emulator.redis().refuse_connections(false);
    () = bb8.get().await.unwrap().set(KEY, 1).await.unwrap();
    let open = blocking(move || sync.get().unwrap().is_open());
    assert!(open.await);
}
