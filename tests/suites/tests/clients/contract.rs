//! The cases: each takes a site and asserts what the application sees there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use redis_authx::reauth::ReauthErrorKind;
use redis_authx::{Event, Runtime, State};

use super::adapter::{AuthClient, AuthConnection};
use super::redis::{AsyncCommands, AsyncConnectionConfig, RedisResult, cmd, pipe};
use crate::site::{PATIENCE, Site, sleep};

const KEY: &str = "count";

fn client<R: Runtime + Clone>(site: &Site<R>, query: &str) -> AuthClient {
    AuthClient::open(site.url(query), site.manager.credentials()).unwrap()
}

/// Time limits that only a server that stalls runs into.
fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE))
}

async fn connect<R: Runtime + Clone>(site: &Site<R>) -> AuthConnection {
    let client = client(site, "");
    client.multiplexed_with_config(patient()).await.unwrap()
}

/// Waits until they have the newest token.
async fn settled<R: Runtime + Clone>(site: &Site<R>, connections: &[AuthConnection]) {
    site.until("all have the newest token", |site| {
        let manager = site.manager.status();
        let newest = |connection: &AuthConnection| {
            let status = connection.status();
            status.generation == manager.generation && status.last_error.is_none()
        };
        manager.state == State::Valid && connections.iter().all(newest)
    })
    .await;
}

/// Tasks that count without a pause.
struct Load {
    stop: Arc<AtomicBool>,
    acknowledged: Arc<AtomicU64>,
    tasks: Vec<oneshot::Receiver<Vec<String>>>,
}

impl Load {
    fn start<R: Runtime + Clone>(site: &Site<R>, connections: &[AuthConnection]) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let acknowledged = Arc::new(AtomicU64::new(0));
        let tasks = connections
            .iter()
            .flat_map(|connection| [connection, connection]);
        let tasks = tasks.map(|connection| {
            let (done, result) = oneshot::channel();
            let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
            let (mut connection, clock) = (connection.clone(), site.runtime.clone());
            let task = async move {
                let mut errors = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let counted: RedisResult<u64> = connection.incr(KEY, 1).await;
                    match counted {
                        Ok(_) => {
                            acknowledged.fetch_add(1, Ordering::SeqCst);
                        }
                        Err(error) => {
                            errors.push(error.to_string());
                            sleep(&clock, Duration::from_millis(10)).await;
                        }
                    }
                }
                let _ = done.send(errors);
            };
            site.runtime.spawn(task.boxed());
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

async fn rotations_under_load<R: Runtime + Clone>(site: Site<R>, query: &str) {
    let client = client(&site, query);
    let mut connections = Vec::new();
    for _ in 0..4 {
        connections.push(client.multiplexed_with_config(patient()).await.unwrap());
    }
    let load = Load::start(&site, &connections);
    site.rotate(3).await;
    settled(&site, &connections).await;
    let (acknowledged, errors) = load.stop().await;
    assert_eq!(errors, [""; 0]);
    let counted: u64 = connections[0].get(KEY).await.unwrap();
    assert_eq!(counted, acknowledged);
    let redis = site.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    assert_eq!(redis.connections_accepted(), 4, "none was replaced");
}

pub(crate) async fn rotations_fail_no_command<R: Runtime + Clone>(site: Site<R>) {
    rotations_under_load(site, "").await;
}

pub(crate) async fn rotations_fail_no_command_in_resp3<R: Runtime + Clone>(site: Site<R>) {
    rotations_under_load(site, "?protocol=resp3").await;
}

pub(crate) async fn a_rotation_sends_one_auth_a_connection<R: Runtime + Clone>(site: Site<R>) {
    let connection = connect(&site).await;
    let logins = site.emulator.redis().auths();
    let before = connection.status().generation;
    site.rotate(2).await;
    settled(&site, std::slice::from_ref(&connection)).await;
    let rotations = connection.status().generation - before;
    assert_eq!(site.emulator.redis().auths() - logins, rotations);
}

pub(crate) async fn no_auth_gets_into_a_raw_transaction<R: Runtime + Clone>(site: Site<R>) {
    let mut connection = connect(&site).await;
    () = cmd("MULTI").query_async(&mut connection).await.unwrap();
    site.rotate(1).await;
    let queued: String = cmd("INCR")
        .arg(KEY)
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(queued, "QUEUED");
    let replies: Vec<u64> = cmd("EXEC").query_async(&mut connection).await.unwrap();
    assert_eq!(replies, [1]);
    settled(&site, &[connection]).await;
    assert_eq!(site.emulator.redis().auths_in_transactions(), 0);
}

pub(crate) async fn atomic_pipelines_have_their_own_replies<R: Runtime + Clone>(site: Site<R>) {
    let mut connection = connect(&site).await;
    let first = connection.status().generation;
    let mut done = 0;
    while connection.status().generation < first + 2 {
        let mut pipeline = pipe();
        pipeline.atomic().incr(KEY, 1).incr(KEY, 1);
        let replies: (u64, u64) = pipeline.query_async(&mut connection).await.unwrap();
        assert_eq!(replies, (done + 1, done + 2));
        done += 2;
    }
    assert_eq!(site.emulator.redis().auths_in_transactions(), 0);
}

pub(crate) async fn a_refused_auth_is_not_noticed<R: Runtime + Clone>(site: Site<R>) {
    let connection = connect(&site).await;
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

pub(crate) async fn a_stalled_auth_leads_to_a_new_connection<R: Runtime + Clone>(site: Site<R>) {
    let mut connection = connect(&site).await;
    let redis = site.emulator.redis();
    redis.delay_next_auths(1, Duration::from_secs(30));
    site.until("it is replaced", |site| {
        site.count(|event| matches!(event, Event::Replaced { .. })) == 1
    })
    .await;
    settled(&site, std::slice::from_ref(&connection)).await;
    assert_eq!(connection.incr::<_, _, u64>(KEY, 1).await.unwrap(), 1);
    assert_eq!(redis.connections_accepted(), 2);
}

pub(crate) async fn a_lost_connection_comes_back<R: Runtime + Clone>(site: Site<R>) {
    let client = client(&site, "");
    let mut connection = client.manager_with_config(patient()).await.unwrap();
    () = connection.set(KEY, 7).await.unwrap();
    site.emulator.redis().drop_connections();
    site.until("it is gone", |site| {
        site.emulator.redis().connections_accepted() >= 2
    })
    .await;
    settled(&site, std::slice::from_ref(&connection)).await;
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), 7);
}

pub(crate) async fn an_outage_ends_by_itself<R: Runtime + Clone>(site: Site<R>) {
    let client = client(&site, "");
    let mut connection = client.manager_with_config(patient()).await.unwrap();
    site.emulator.identity().outage(Duration::from_secs(9));
    site.until("the token has expired", |site| {
        site.manager.status().state == State::Unavailable
    })
    .await;
    site.until("there is a token", |site| {
        site.manager.status().state == State::Valid
    })
    .await;
    settled(&site, std::slice::from_ref(&connection)).await;
    assert_eq!(connection.incr::<_, _, u64>(KEY, 1).await.unwrap(), 1);
}

pub(crate) async fn a_dropped_connection_leaves_nothing<R: Runtime + Clone>(site: Site<R>) {
    let connection = connect(&site).await;
    site.rotate(1).await;
    assert_eq!(site.emulator.redis().connections(), 1);
    assert_eq!(site.manager.status().connections, 1);
    drop(connection);
    site.until("it is closed", |site| {
        site.emulator.redis().connections() == 0 && site.manager.status().connections == 0
    })
    .await;
}
