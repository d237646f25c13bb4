//! A Redis Cluster of three primaries with a replica each.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface, ListInterface};
use fred::types::config::Config;
use redis_authx::ReauthPolicy;
use redis_authx_emulator::Store;
use redis_authx_suites::{Bed, prompt};

use crate::load::Load;
use crate::site::Site;

/// Four rotations outlive such a token.
const SHORT: Duration = Duration::from_secs(6);

/// No node's `AUTH` is put off.
pub(crate) async fn cluster(lifetime: Duration) -> Site {
    let bed = Bed::builder().lifetime(lifetime);
    let site = Site::start(bed.store(Store::cluster(3, 1))).await;
    site.renewed_by(prompt())
}

pub(crate) fn config(site: &Site) -> Config {
    let url = site
        .emulator
        .redis_url()
        .replace("redis://", "redis-cluster://");
    let mut config = Config::from_url(&url).unwrap();
    config.version = site.version.clone();
    config
}

pub(crate) async fn connected(site: &Site) -> Client {
    let client = site.clients_of(config(site)).build().unwrap();
    client.init().await.unwrap();
    site.settled(3).await;
    client
}

/// Of another slot than `queue`, and of another node.
pub(crate) const ELSEWHERE: &str = "b";

/// Keys on all nodes.
pub(crate) fn many_keys(task: usize) -> String {
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
    rotations(cluster(SHORT).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_is_no_different() {
    rotations(cluster(SHORT).await.resp3()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_has_a_status() {
    let lifetime = Duration::from_secs(60);
    let site = cluster(lifetime).await;
    let client = connected(&site).await;
    let nodes = site.emulator.cluster().unwrap();
    let mut expected = Vec::new();
    for primary in nodes.primaries().await.unwrap() {
        let (_, port) = nodes.urls()[primary].rsplit_once(':').unwrap();
        expected.push(port.parse::<u16>().unwrap());
    }
    let reports = site.renewal.connections();
    let mut ports: Vec<u16> = reports.iter().map(|report| report.server.port).collect();
    ports.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ports, expected);
    for report in reports {
        assert_eq!(report.client, client.id());
        assert_eq!(report.connection.generation, 1);
        let left = report.connection.expires_in.unwrap();
        assert!(left <= lifetime && !left.is_zero(), "{left:?}");
    }
}

/// The connection that fred asks for the slots on has expired by then.
#[tokio::test(flavor = "multi_thread")]
async fn a_failover_fails_no_command() {
    const TASKS: usize = 12;
    let site = cluster(SHORT).await;
    let client = connected(&site).await;
    let load = Load::start(&client, TASKS, many_keys);
    site.rotate(3).await;
    site.until("it has expired", |bed| {
        bed.emulator.redis().closed_by_expiry() > 0
    })
    .await;
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

/// The node is blocked until its token expires. The others notice nothing, and
/// the block goes on where fred reconnects.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_on_one_node_keeps_no_other_waiting() {
    let site = cluster(SHORT).await;
    let client = connected(&site).await;
    let blocked = site.block(&client).await;
    site.rotate(1).await;
    assert_eq!(client.incr::<u64, _>(ELSEWHERE).await.unwrap(), 1);
    site.until("the blocked one was closed", |bed| {
        let reports = bed.emulator.redis().connection_reports();
        // Of the first four, it and the one for the slots have but one log-in.
        let mut first = reports.iter().take(4).filter(|it| it.auths_accepted == 1);
        first.clone().any(|it| it.closed_by_expiry) && !first.any(|it| it.open)
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

/// Refused and lost, on every node at once: no command notices.
#[tokio::test(flavor = "multi_thread")]
async fn refused_tokens_and_lost_connections_are_not_noticed() {
    const TASKS: usize = 12;
    let site = cluster(Duration::from_secs(60)).await;
    let site = site.renewed_by(ReauthPolicy::builder().stagger(0.0));
    let client = connected(&site).await;
    let load = Load::start(&client, TASKS, many_keys);
    let redis = site.emulator.redis();
    redis.refuse_next_auths(3);
    site.turn().await;
    site.settled(3).await;
    assert_eq!(redis.auths_refused(), 3);
    // None is replaced; each refusal is that of a connection that shows the token.
    site.opened(4 + 3).await;
    for round in 1..=2 {
        if round == 2 {
            redis.refuse_auth_until_fresh_token();
        }
        let before = load.acknowledged();
        redis.drop_connections();
        site.until("commands are answered", |_| {
            load.acknowledged() > before + 200
        })
        .await;
        site.settled(3).await;
    }
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert!(counted(&client, TASKS).await >= seen.acknowledged);
}
