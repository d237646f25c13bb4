//! The cases: each takes a site and asserts what the application sees there.
//! They are generic over the client, and over the runtime.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use redis_authx::{Event, ManagerState, ReauthErrorKind, Runtime};
use redis_authx_suites::{Socket, Stall};

use crate::connection::{Connection, Kind, Raw};
use crate::site::{Site, sleep};

const KEY: &str = "count";

/// Waits until they have the newest token.
async fn settled<C: Connection, R: Runtime + Clone>(site: &Site<R>, connections: &[C]) {
    site.until("all have the newest token", |site| {
        let manager = site.manager.status();
        let newest = |connection: &C| {
            let statuses = connection.statuses();
            let newest = statuses.iter().filter(|status| {
                status.generation == manager.generation && status.last_error.is_none()
            });
            newest.count() as u64 == C::SOCKETS
        };
        manager.state == ManagerState::Valid && connections.iter().all(newest)
    })
    .await;
}

/// The token that it has all over.
fn generation<C: Connection>(connection: &C) -> u64 {
    let generations = connection.statuses().into_iter();
    let oldest = generations.map(|status| status.generation).min();
    oldest.unwrap_or(0)
}

/// Tasks that count without a pause.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    tasks: Vec<oneshot::Receiver<Vec<String>>>,
}

impl Load {
    fn start<C: Connection, R: Runtime + Clone>(site: &Site<R>, connections: &[C]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let tasks = connections
            .iter()
            .flat_map(|connection| [connection, connection]);
        let tasks = tasks.map(|connection| {
            let (done, result) = oneshot::channel();
            let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
            let (connection, clock) = (connection.clone(), site.runtime.clone());
            let task = async move {
                let mut errors = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    match connection.incr(KEY).await {
                        Ok(_) => {
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(error) => {
                            errors.push(error);
                            sleep(&clock, Duration::from_millis(10)).await;
                        }
                    }
                }
                let _ = done.send(errors);
            };
            site.runtime.spawn(task.boxed()).unwrap();
            result
        });
        let tasks = tasks.collect();
        Self {
            stop,
            acknowledged,
            tasks,
        }
    }

    /// The INCRs that were answered, and the errors.
    async fn stop(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::SeqCst);
        let mut errors = Vec::new();
        for task in self.tasks {
            errors.extend(task.await.expect("the task ends"));
        }
        (self.acknowledged.load(Ordering::SeqCst), errors)
    }
}

/// Tasks that each count in a key of their own, and notice the reply to another.
struct OwnKeys {
    stop: Arc<AtomicBool>,
    tasks: Vec<oneshot::Receiver<Vec<String>>>,
}

impl OwnKeys {
    fn start<C: Connection, R: Runtime + Clone>(
        site: &Site<R>,
        connection: &C,
        count: u64,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut socket = Socket::log_in(&site.emulator);
        let tasks = (0..count).map(|number| {
            // Far from what the others count.
            let key = format!("own:{number}");
            socket.ask(&format!("SET {key} {}", number * 1_000_000));
            let (done, result) = oneshot::channel();
            let (stop, connection) = (Arc::clone(&stop), connection.clone());
            let task = async move {
                let mut last = connection.incr(&key).await;
                let mut wrong = Vec::new();
                while !stop.load(Ordering::SeqCst) && wrong.is_empty() {
                    let next = connection.incr(&key).await;
                    if !matches!((&last, &next), (Ok(last), Ok(next)) if last + 1 == *next) {
                        wrong.push(format!("{number}: {next:?} after {last:?}"));
                    }
                    last = next;
                }
                let _ = done.send(wrong);
            };
            site.runtime.spawn(task.boxed()).unwrap();
            result
        });
        let tasks = tasks.collect();
        Self { stop, tasks }
    }

    /// What was neither the next count nor anything else that it should be.
    async fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::SeqCst);
        let mut wrong = Vec::new();
        for task in self.tasks {
            wrong.extend(task.await.expect("the task ends"));
        }
        wrong
    }
}

async fn rotations_under_load<C: Connection, R: Runtime + Clone>(site: Site<R>, kind: Kind) {
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(C::open(&site, kind).await);
    }
    let first: u64 = connections.iter().map(generation).sum();
    let load = Load::start(&site, &connections);
    site.rotate(3).await;
    settled(&site, &connections).await;
    let (acknowledged, errors) = load.stop().await;
    assert_eq!(errors, [""; 0]);
    assert_eq!(connections[0].get(KEY).await, acknowledged);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
    site.until("as many connections as it takes", |site| {
        let newest: u64 = connections.iter().map(generation).sum();
        let shown = C::SHOWINGS * (newest - first);
        site.emulator.redis().connections_accepted() == 4 * C::SOCKETS + shown
    })
    .await;
}

pub(crate) async fn rotations_fail_no_command<C: Connection, R: Runtime + Clone>(site: Site<R>) {
    rotations_under_load::<C, R>(site, Kind::Usual).await;
}

pub(crate) async fn rotations_fail_no_command_in_resp3<C: Connection, R: Runtime + Clone>(
    site: Site<R>,
) {
    rotations_under_load::<C, R>(site, Kind::Resp3).await;
}

pub(crate) async fn a_rotation_sends_one_auth_a_connection<C: Connection, R: Runtime + Clone>(
    site: Site<R>,
) {
    let connection = C::open(&site, Kind::Usual).await;
    // None is under way while both are read, and no token is overtaken by the next.
    site.live_longer(Duration::from_secs(600)).await;
    settled(&site, std::slice::from_ref(&connection)).await;
    let logins = site.emulator.redis().auths();
    let before = generation(&connection);
    for _ in 0..2 {
        site.turn().await;
        settled(&site, std::slice::from_ref(&connection)).await;
    }
    let auths = (generation(&connection) - before) * (C::SOCKETS + C::SHOWINGS);
    assert_eq!(site.emulator.redis().auths() - logins, auths);
}

pub(crate) async fn no_auth_gets_into_a_raw_transaction<C: Raw, R: Runtime + Clone>(site: Site<R>) {
    let connection = C::open(&site, Kind::Usual).await;
    connection.multi().await;
    site.rotate(1).await;
    assert_eq!(connection.queue_incr(KEY).await, "QUEUED");
    assert_eq!(connection.exec().await, [1]);
    settled(&site, &[connection]).await;
    assert_eq!(site.emulator.redis().auths_in_transactions(), 0);
}

pub(crate) async fn transactions_have_their_own_replies<C: Connection, R: Runtime + Clone>(
    site: Site<R>,
) {
    let connection = C::open(&site, Kind::Usual).await;
    let first = generation(&connection);
    let mut done = 0;
    while generation(&connection) < first + 2 {
        let replies = connection.incr_twice(KEY).await;
        assert_eq!(replies, (done + 1, done + 2));
        done += 2;
    }
    assert_eq!(site.emulator.redis().auths_in_transactions(), 0);
}

pub(crate) async fn a_refused_auth_is_not_noticed<C: Connection, R: Runtime + Clone>(
    site: Site<R>,
) {
    let connection = C::open(&site, Kind::Usual).await;
    let load = Load::start(&site, std::slice::from_ref(&connection));
    site.emulator.redis().refuse_next_auths(1);
    site.until("one was refused", |site| {
        site.emulator.redis().auths_refused() == 1
    })
    .await;
    site.rotate(1).await;
    settled(&site, std::slice::from_ref(&connection)).await;
    let (_, errors) = load.stop().await;
    assert_eq!(errors, [""; 0]);
    let refused = |event: &Event| matches!(event, Event::ReauthFailed { error, .. } if error.kind() == ReauthErrorKind::Refused);
    assert_eq!(site.count(refused), 1);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

/// While the server answers others: some versions drop the reply then, and so does the
/// gateway here.
pub(crate) async fn a_refused_auth_misdirects_no_reply<C: Connection, R: Runtime + Clone>(
    site: Site<R>,
) {
    site.emulator.redis().drop_refusals_behind_replies(true);
    for kind in [Kind::Usual, Kind::Resp3] {
        let connection = C::open(&site, kind).await;
        site.live_longer(Duration::from_secs(600)).await;
        settled(&site, std::slice::from_ref(&connection)).await;
        let load = OwnKeys::start(&site, &connection, 64);
        let refused = site.emulator.redis().auths_refused();
        let stall = Stall::start(&site.emulator);
        site.emulator.redis().refuse_next_auths(1);
        site.turn().await;
        site.until("one was refused", |site| {
            site.emulator.redis().auths_refused() == refused + 1
        })
        .await;
        site.turn().await;
        settled(&site, std::slice::from_ref(&connection)).await;
        drop(stall);
        assert_eq!(load.stop().await, [""; 0]);
        connection.close().await;
    }
}

pub(crate) async fn a_stalled_auth_leads_to_a_new_connection<C: Connection, R: Runtime + Clone>(
    site: Site<R>,
) {
    let connection = C::open(&site, Kind::Hasty).await;
    site.live_longer(Duration::from_secs(60)).await;
    settled(&site, std::slice::from_ref(&connection)).await;
    let redis = site.emulator.redis();
    redis.delay_next_auths(1, Duration::from_secs(30));
    site.turn().await;
    site.until("it is replaced", |site| {
        site.count(|event| matches!(event, Event::Replaced { .. })) == 1
    })
    .await;
    settled(&site, std::slice::from_ref(&connection)).await;
    assert_eq!(connection.incr(KEY).await.unwrap(), 1);
    let opened = C::SOCKETS + C::FOR_A_REPLACEMENT;
    assert_eq!(redis.connections_accepted(), opened);
}

pub(crate) async fn a_lost_connection_comes_back<C: Connection, R: Runtime + Clone>(site: Site<R>) {
    let connection = C::open(&site, Kind::Waiting).await;
    assert_eq!(connection.incr(KEY).await.unwrap(), 1);
    site.emulator.redis().drop_connections();
    site.until("it is gone", |site| {
        site.emulator.redis().connections_accepted() >= 2 * C::SOCKETS
    })
    .await;
    settled(&site, std::slice::from_ref(&connection)).await;
    assert_eq!(connection.get(KEY).await, 1);
}

pub(crate) async fn an_outage_ends_by_itself<C: Connection, R: Runtime + Clone>(site: Site<R>) {
    let connection = C::open(&site, Kind::Waiting).await;
    // So that its end is not long to wait for.
    let identity = site.emulator.identity();
    identity.set_token_lifetime(Duration::from_secs(3));
    site.rotate(1).await;
    identity.set_outage(true);
    site.until("the token has expired", |site| {
        site.manager.status().state == ManagerState::Unavailable
    })
    .await;
    identity.set_outage(false);
    site.until("there is a token", |site| {
        site.manager.status().state == ManagerState::Valid
    })
    .await;
    settled(&site, std::slice::from_ref(&connection)).await;
    assert_eq!(connection.incr(KEY).await.unwrap(), 1);
}

pub(crate) async fn a_closed_connection_leaves_nothing<C: Connection, R: Runtime + Clone>(
    site: Site<R>,
) {
    let connection = C::open(&site, Kind::Usual).await;
    site.rotate(1).await;
    site.until("no other is open", |site| {
        site.emulator.redis().connections() as u64 == C::SOCKETS
    })
    .await;
    assert_eq!(site.manager.status().connections as u64, C::SOCKETS);
    connection.close().await;
    site.until("it is closed", |site| {
        site.emulator.redis().connections() == 0 && site.manager.status().connections == 0
    })
    .await;
}
