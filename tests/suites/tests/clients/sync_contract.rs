//! The cases of sync connections. They run on threads of which no runtime
//! knows, whatever the connections are renewed on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use redis_authx::{Event, ManagerState, Runtime};

use super::adapter::{AuthClient, AuthSyncConnection};
use super::redis::{Commands, RedisResult, cmd, pipe};
use crate::site::{PATIENCE, Site};

const LIFETIME: Duration = Duration::from_secs(600);

fn client<R: Runtime + Clone>(site: &Site<R>) -> AuthClient {
    AuthClient::open(site.url(""), site.manager.credentials()).unwrap()
}

/// Runs what blocks on a thread of its own.
async fn on_a_thread<R: Runtime + Clone, T: Send + 'static>(
    site: &Site<R>,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    let thread = thread::spawn(work);
    site.until("the thread has ended", |_| thread.is_finished())
        .await;
    thread.join().unwrap()
}

async fn connect<R: Runtime + Clone>(site: &Site<R>) -> AuthSyncConnection {
    let client = client(site);
    on_a_thread(site, move || {
        client.connection_with_timeout(PATIENCE).unwrap()
    })
    .await
}

fn work(connection: &mut AuthSyncConnection, round: u64) -> RedisResult<()> {
    let counted: u64 = connection.incr("count", 1)?;
    assert_eq!(counted, 3 * round + 1);
    cmd("MULTI").exec(connection)?;
    let queued: String = connection.incr("count", 1)?;
    assert_eq!(queued, "QUEUED");
    let replies: Vec<u64> = cmd("EXEC").query(connection)?;
    assert_eq!(replies, [3 * round + 2]);
    let mut atomic = pipe();
    let (counted,): (u64,) = atomic.atomic().incr("count", 1).query(connection)?;
    assert_eq!(counted, 3 * round + 3);
    Ok(())
}

pub(crate) async fn a_sync_connection_is_renewed<R: Runtime + Clone>(site: Site<R>) {
    let mut connection = connect(&site).await;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let worker = thread::spawn(move || {
        let mut round = 0;
        while !stopped.load(Ordering::SeqCst) {
            work(&mut connection, round).unwrap();
            round += 1;
        }
        connection
    });
    let generation = site.manager.status().generation;
    site.until("three rotations", |site| {
        site.manager.status().generation >= generation + 3
    })
    .await;
    stop.store(true, Ordering::SeqCst);
    let connection = worker.join().unwrap();
    site.until("it has the newest token", |site| {
        let manager = site.manager.status();
        manager.state == ManagerState::Valid && connection.status().generation == manager.generation
    })
    .await;
    let redis = site.emulator.redis();
    assert_eq!(redis.auths_in_transactions(), 0);
    assert_eq!(redis.closed_by_expiry(), 0);
    assert_eq!(redis.connections_accepted(), 1, "replaced");
}

/// The first token is refused: another is waited for.
pub(crate) async fn a_refused_sync_log_in_takes_a_fresh_token<R: Runtime + Clone>(site: Site<R>) {
    // Long enough for no rotation to come before the log-in.
    site.live_longer(LIFETIME).await;
    site.emulator.redis().refuse_auth_until_fresh_token();
    let mut connection = connect(&site).await;
    on_a_thread(&site, move || {
        connection.set::<_, _, ()>("k", 1).unwrap();
    })
    .await;
    assert!(site.emulator.redis().auths_refused() >= 1);
}

pub(crate) async fn a_lost_sync_connection_comes_back<R: Runtime + Clone>(site: Site<R>) {
    // A rotation may find it closed as well.
    site.live_longer(LIFETIME).await;
    let mut connection = connect(&site).await;
    site.emulator.redis().drop_connections();
    site.until("it is closed", |site| {
        site.emulator.redis().connections() == 0
    })
    .await;
    on_a_thread(&site, move || {
        assert!(connection.set::<_, _, ()>("k", 1).is_err());
        connection.set::<_, _, ()>("k", 2).unwrap();
    })
    .await;
    // It is in place a little before it is reported.
    let replaced = |site: &Site<R>| site.count(|event| matches!(event, Event::Replaced { .. }));
    site.until("it is reported", |site| replaced(site) > 0)
        .await;
    assert_eq!(replaced(&site), 1);
}
