//! What a pool hands out is fit for use.

use std::time::{Duration, Instant};

use deadpool::managed::PoolError;
use redis::{AsyncCommands, Commands, ConnectionLike, RedisResult, cmd, pipe};
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_suites::{Bed, KEY, PATIENCE, blocking};

use crate::{SIZE, bb8, deadpool, manager, r2d2};

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

/// Does it again when it has timed out: connections of the client itself have
/// redis-rs's own limits, half a second for a reply.
async fn in_time(attempt: impl AsyncFn() -> RedisResult<u64>) {
    loop {
        match attempt().await {
            Err(error) if error.is_timeout() => {}
            done => {
                done.expect("it is counted");
                return;
            }
        }
    }
}

/// The client itself is a manager, as redis-rs's is.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_a_manager() {
    let bed = long().await;
    let pool = bb8::Pool::builder()
        .max_size(2)
        .connection_timeout(PATIENCE);
    let pool = pool.build(bed.client.clone()).await.unwrap();
    let other = deadpool::managed::Pool::builder(bed.client.clone()).max_size(2);
    let other: deadpool::managed::Pool<AuthClient> = other.build().unwrap();
    for lost in [false, true] {
        if lost {
            bed.hang_up().await;
        }
        for _ in 0..2 {
            in_time(async || pool.get().await.unwrap().incr(KEY, 1).await).await;
            in_time(async || match other.get().await {
                Ok(mut connection) => connection.incr(KEY, 1).await,
                Err(PoolError::Backend(error)) => Err(error),
                Err(error) => panic!("{error}"),
            })
            .await;
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
    let bb8 = bb8::Pool::builder()
        .max_size(1)
        .connection_timeout(PATIENCE);
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
    in_time(async || bb8.get().await.unwrap().incr(KEY, 1).await).await;
    let open = blocking(move || sync.get().unwrap().is_open());
    assert!(open.await);
}
