//! In a cluster.

use std::pin::pin;
use std::time::Duration;

use fred::clients::Client;
use fred::error::ErrorKind;
use fred::interfaces::{AuthInterface, ClientLike, KeysInterface, ListInterface};
use fred::types::config::{Options, Server};
use futures::FutureExt;
use redis_authx::ReauthPolicy;
use tokio::runtime::Runtime;

use super::{Ticking, changes, stock};
use crate::cluster::{ELSEWHERE, cluster, config, connected, many_keys};
use crate::site::{at_once, is_renewal};

const LASTING: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(50);

/// Trap 1: `hello()` drops its credentials, and says that all is well.
#[tokio::test(flavor = "multi_thread")]
async fn a_tick_sends_no_credentials_in_resp3() {
    let site = cluster(LASTING).await.resp3();
    let ticking = Ticking::every(TICK, &site);
    let client = ticking.client(config(&site)).await;
    let auths = site.emulator.redis().auths();
    site.turn().await;
    let ticks = ticking.ticks();
    site.until("three more ticks have been answered", |_| {
        ticking.ticks() > ticks + 3
    })
    .await;
    assert_eq!(site.emulator.redis().auths(), auths);
    client.quit().await.unwrap();
}

/// Trap 4: `auth()` does not reach the connection for the slots.
#[tokio::test(flavor = "multi_thread")]
async fn a_tick_does_not_reach_the_backchannel() {
    let site = cluster(LASTING).await;
    let client = Ticking::every(TICK, &site).client(config(&site)).await;
    let open = || {
        let reports = site.emulator.redis().connection_reports();
        reports.into_iter().filter(|report| report.open)
    };
    assert_eq!(open().count(), 4, "three nodes and the backchannel");
    site.until("the nodes were reached three times", |_| {
        open().filter(|report| report.auths_accepted > 3).count() == 3
    })
    .await;
    assert_eq!(
        open().filter(|report| report.auths_accepted == 1).count(),
        1
    );
    client.quit().await.unwrap();
}

/// Trap 2 with ours: the node whose connection is lost has but one log-in there.
#[tokio::test(flavor = "multi_thread")]
async fn no_auth_of_ours_is_replayed() {
    let site = cluster(LASTING).await;
    // One node a second, of which the first shows the token.
    let stagger = 3.0 / LASTING.as_secs_f64();
    let site = site.renewed_by(ReauthPolicy::builder().stagger(stagger));
    let client = connected(&site).await;
    let before = site.count(is_renewal);
    site.turn().await;
    site.until("the first has sent it", |bed| {
        bed.count(is_renewal) > before
    })
    .await;
    site.emulator.redis().delay_next_auths(1, LASTING);
    site.until("an AUTH has no answer", |bed| {
        let redis = bed.emulator.redis();
        redis.auths_in_flight() == 1 && redis.auths() == 4 + 1 + 2
    })
    .await;
    let before = changes(&site).len();
    site.emulator.redis().drop_connections();
    site.settled(3).await;
    for task in 0..12 {
        let _: u64 = client.incr(many_keys(task)).await.unwrap();
    }
    site.until("each new connection has logged in once", |_| {
        let since = &changes(&site)[before..];
        since.len() >= 3 && since.iter().all(|&changes| changes == 1)
    })
    .await;
}

/// Another one: `auth()` keeps all nodes waiting until one has answered.
#[tokio::test(flavor = "multi_thread")]
async fn an_auth_stops_a_whole_cluster() {
    let site = cluster(LASTING).await;
    let client = stock(&site, config(&site)).await;
    let other = stock(&site, config(&site)).await;
    let blocked = site.block(&client).await;
    let token = site.manager.credentials().current().unwrap();
    let mut auth = pin!(client.auth(Some(token.username().to_owned()), token.password()));
    assert!(auth.as_mut().now_or_never().is_none());
    // That node is not blocked …
    let mut elsewhere = pin!(client.incr::<u64, _>(ELSEWHERE));
    for _ in 0..200 {
        assert!(elsewhere.as_mut().now_or_never().is_none(), "not stopped");
        let _: u64 = other.incr(ELSEWHERE).await.unwrap();
    }
    // … and answers this client when the other one does.
    () = other.rpush("queue", 7).await.unwrap();
    auth.await.unwrap();
    assert_eq!(elsewhere.await.unwrap(), 201);
    blocked.await.unwrap().unwrap();
}

/// Another one: `force_reconnection()` replaces nothing that looks healthy.
#[tokio::test(flavor = "multi_thread")]
async fn a_forced_reconnection_replaces_no_node() {
    let site = cluster(LASTING).await;
    let client = stock(&site, config(&site)).await;
    client.force_reconnection().await.unwrap();
    let redis = site.emulator.redis();
    site.until("all but the backchannel are as before", |_| {
        let reports = redis.connection_reports();
        reports.iter().take(4).filter(|report| report.open).count() == 3
    })
    .await;
    assert_eq!(redis.connections_accepted(), 5, "and another backchannel");
}

/// Another one, of its feature `replicas`: with a command to a server that is no
/// node fred keeps a thread busy, whatever the number of attempts, until the
/// command's time is up; there is none by default. No AUTH of ours is sent by a
/// node's address: `crate::changes::a_primary_that_is_killed`.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_to_a_vanished_node_ends_by_its_timeout_alone() {
    let site = cluster(LASTING).await;
    let mut config = config(&site);
    site.renewal.provide(&mut config).unwrap();
    // The busy thread may be the one that has timers fire.
    let apart = Runtime::new().unwrap();
    let connect = async {
        let client = Client::new(config, None, None, Some(at_once()));
        client.init().await.unwrap();
        client
    };
    let client = apart.spawn(connect).await.unwrap();
    let options = Options {
        cluster_node: Some(Server::new("127.0.0.1", 1)),
        max_attempts: Some(1),
        timeout: Some(Duration::from_millis(300)),
        ..Options::default()
    };
    let vanished = client.with_options(&options);
    let error = vanished.ping::<()>(None).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(client.incr::<u64, _>(ELSEWHERE).await.unwrap(), 1);
    client.quit().await.unwrap();
    apart.shutdown_background();
}
