//! A Redis Cluster of three primaries with a replica each.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{AuthInterface, ClientLike, KeysInterface, ListInterface};
use fred::types::RespVersion;
use fred::types::config::Config;
use redis_authx_emulator::Store;
use redis_authx_suites::Bed;

use crate::load::Load;
use crate::site::{Site, at_once};

async fn cluster(lifetime: Duration) -> Site {
    Site::start(
        Bed::builder()
            .lifetime(lifetime)
            .store(Store::cluster(3, 1)),
    )
    .await
}

fn config(site: &Site) -> Config {
    let url = site
        .emulator
        .redis_url()
        .replace("redis://", "redis-cluster://");
    let mut config = Config::from_url(&url).unwrap();
    config.version = site.version.clone();
    config
}

async fn connected(site: &Site) -> Client {
    let client = site.clients_of(config(site)).build().unwrap();
    client.init().await.unwrap();
    site.settled(3).await;
    client
}

/// Of another slot than `queue`, and of another node.
const ELSEWHERE: &str = "b";

/// Keys on all nodes.
fn many_keys(task: usize) -> String {
    format!("count:{task}")
}

async fn counted(client: &Client, tasks: usize) -> u64 {
    let mut sum = 0;
    for task in 0..tasks {
        sum += client.get::<u64, _>(many_keys(task)).await.unwrap();
    }
    sum
}

async fn rotations(site: Site) {
    const TASKS: usize = 12;
    let client = connected(&site).await;
    let load = Load::start(&client, TASKS, many_keys);
    site.rotate(4).await;
    site.settled(3).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(counted(&client, TASKS).await, seen.acknowledged);
    // Those that carry commands have outlived their tokens.
    let reports = site.emulator.redis().connection_reports();
    let renewed = reports.iter().filter(|report| report.auths_accepted > 4);
    assert_eq!(renewed.count(), 3, "{reports:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_lives_through_rotations() {
    rotations(cluster(Duration::from_secs(4)).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_is_no_different() {
    rotations(cluster(Duration::from_secs(4)).await.resp3()).await;
}

/// The connection that fred asks for the slots on has expired by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_fails_no_command() {
    const TASKS: usize = 12;
    let site = cluster(Duration::from_secs(4)).await;
    let client = connected(&site).await;
    let load = Load::start(&client, TASKS, many_keys);
    site.rotate(3).await;
    let nodes = site.emulator.cluster().unwrap();
    let primary = nodes.primaries().await.unwrap()[0];
    let promoted = nodes.fail_over(primary).await.unwrap();
    site.until("the promoted node is used", |bed| {
        let reports = bed.emulator.redis().connection_reports();
        reports
            .iter()
            .any(|report| report.node == promoted && report.auths_accepted > 0)
    })
    .await;
    site.settled(3).await;
    site.rotate(2).await;
    site.settled(3).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert!(counted(&client, TASKS).await >= seen.acknowledged);
}

/// A node dies, and its replica takes over: no client is left behind. It is not
/// the one that is configured, which fred asks for the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_replaced_by_its_replica() {
    let site = cluster(Duration::from_secs(6)).await;
    let client = connected(&site).await;
    let load = Load::start(&client, 12, many_keys);
    let nodes = site.emulator.cluster().unwrap();
    let primary = nodes.primaries().await.unwrap()[1];
    nodes.kill_node(primary);
    nodes.wait_for_takeover(primary).await.unwrap();
    let before = load.acknowledged();
    site.until("commands are answered", |_| {
        load.acknowledged() > before + 200
    })
    .await;
    site.settled(3).await;
    site.rotate(2).await;
    site.settled(3).await;
    drop(load.stop().await);
}

/// The node is blocked until its token expires. The others notice nothing, and
/// the block goes on where fred reconnects.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_on_one_node_keeps_no_other_waiting() {
    let site = cluster(Duration::from_secs(4)).await;
    let client = connected(&site).await;
    let blocked = site.block(&client).await;
    site.rotate(1).await;
    assert_eq!(client.incr::<u64, _>(ELSEWHERE).await.unwrap(), 1);
    site.until("the blocked one was closed", |bed| {
        bed.emulator.redis().closed_by_expiry() > 0
    })
    .await;
    let other = connected_too(&site).await;
    () = other.rpush("queue", 7).await.unwrap();
    assert_eq!(blocked.await.unwrap().unwrap(), ("queue".to_owned(), 7));
    site.settled(6).await;
}

async fn connected_too(site: &Site) -> Client {
    let client = site.clients_of(config(site)).build().unwrap();
    client.init().await.unwrap();
    client
}

/// A client of fred's that logs in with the tokens, and is not attached.
async fn stock(site: &Site) -> Client {
    let mut config = config(site);
    site.renewal.provide(&mut config).unwrap();
    let client = Client::new(config, None, None, Some(at_once()));
    client.init().await.unwrap();
    client
}

/// Trap 1: `hello()` drops its credentials, and says that all is well.
#[tokio::test(flavor = "multi_thread")]
async fn fred_sends_no_credentials_with_hello() {
    let site = cluster(Duration::from_secs(60)).await.resp3();
    let client = stock(&site).await;
    let before = site.emulator.redis().auths();
    let token = site.manager.credentials().current().unwrap();
    let login = (token.username().into(), token.password().into());
    let hello = client.hello(RespVersion::RESP3, Some(login), None).await;
    hello.unwrap();
    assert_eq!(site.emulator.redis().auths(), before);
}

/// Trap 4: `auth()` does not reach the connection for the slots.
#[tokio::test(flavor = "multi_thread")]
async fn fred_does_not_reach_its_backchannel() {
    let site = cluster(Duration::from_secs(60)).await;
    let client = stock(&site).await;
    let reports = || site.emulator.redis().connection_reports();
    let before = reports().iter().filter(|report| report.open).count();
    assert_eq!(before, 4, "three nodes and the backchannel");
    let token = site.manager.credentials().current().unwrap();
    let user = Some(token.username().to_owned());
    client.auth(user, token.password()).await.unwrap();
    let reached = reports()
        .iter()
        .filter(|report| report.auths_accepted > 1)
        .count();
    assert_eq!(reached, 3);
}

/// Another one: `auth()` keeps all nodes waiting until one has answered.
#[tokio::test(flavor = "multi_thread")]
async fn fred_stops_a_whole_cluster_for_an_auth() {
    let site = cluster(Duration::from_secs(60)).await;
    let (client, other) = (stock(&site).await, stock(&site).await);
    let blocked = site.block(&client).await;
    let token = site.manager.credentials().current().unwrap();
    let auth = {
        let client = client.clone();
        let user = Some(token.username().to_owned());
        tokio::spawn(async move { client.auth(user, token.password()).await })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    let elsewhere = client.incr::<u64, _>(ELSEWHERE);
    let waited = tokio::time::timeout(Duration::from_secs(1), elsewhere).await;
    assert!(waited.is_err(), "{waited:?}");
    () = other.rpush("queue", 7).await.unwrap();
    blocked.await.unwrap().unwrap();
    auth.await.unwrap().unwrap();
}

/// Another one: `force_reconnection()` replaces nothing that looks healthy.
#[tokio::test(flavor = "multi_thread")]
async fn fred_replaces_no_node_of_a_cluster() {
    let site = cluster(Duration::from_secs(60)).await;
    let client = stock(&site).await;
    client.force_reconnection().await.unwrap();
    let reports = site.emulator.redis().connection_reports();
    let nodes = reports.iter().take(4).filter(|report| report.open).count();
    assert_eq!(nodes, 3, "all but the backchannel");
}
