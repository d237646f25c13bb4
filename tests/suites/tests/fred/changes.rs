//! The servers change while tokens do: what the application sees is no worse
//! than with a client of fred's that has a password which never changes, beside
//! ours in the same run.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, FredResult, KeysInterface};
use fred::types::config::Config;
use redis_authx::ReauthPolicy;
use redis_authx_emulator::{SentinelAuth, Store};
use redis_authx_suites::{Bed, BedBuilder};

use crate::cluster::{self, many_keys};
use crate::load::Load;
use crate::sentinel;
use crate::site::Site;

/// Of each client.
const TASKS: usize = 8;

/// Of commands that may be under way when a node dies, what the one client has
/// to be luckier than the other.
const LUCK: usize = 2 * TASKS;

/// Rotations as often as of a calm one, of tokens that outlive the test: a
/// cluster's connection for the slots is never renewed.
fn lasting() -> BedBuilder {
    let bed = Bed::builder().calm().ratio(0.003);
    bed.lifetime(Duration::from_secs(600))
}

/// Waits until nothing fails any more; how often it did, of each client.
async fn calm(site: &Site, clients: [&Client; 2], loads: [&Load; 2]) -> [usize; 2] {
    for _ in 0..1000 {
        let failed = loads.map(Load::failed);
        let before = loads.map(Load::acknowledged);
        site.until("both answer", |_| {
            let answers = loads.map(Load::acknowledged);
            (0..2).all(|client| answers[client] > before[client] + 200)
        })
        .await;
        // Those may be the healthy nodes' alone; this waits for every one.
        let mut answered = true;
        for client in clients {
            for task in 0..TASKS {
                let got: FredResult<Option<u64>> = client.get(many_keys(task)).await;
                answered &= got.is_ok();
            }
        }
        if answered && loads.map(Load::failed) == failed {
            return failed;
        }
    }
    panic!("commands still fail");
}

/// Both clients under load, while `change` happens and tokens rotate. In the end
/// ours has as many `connections` as in the beginning.
async fn no_worse(
    what: &str,
    site: Site,
    config: Config,
    connections: usize,
    change: impl AsyncFnOnce(&Site),
) {
    let site = site.renewed_by(ReauthPolicy::builder().stagger(0.001));
    let client = site.clients_of(config.clone()).build().unwrap();
    client.init().await.unwrap();
    site.settled(connections).await;
    let password = site.with_a_password(config).await;
    let ours = Load::start(&client, TASKS, many_keys);
    let theirs = Load::start(&password, TASKS, many_keys);
    site.rotate(1).await;
    let rotations = site.rotations();
    change(&site).await;
    let [calm, calm_theirs] = calm(&site, [&client, &password], [&ours, &theirs]).await;
    site.rotate(2).await;
    site.settled(connections).await;
    let (after, after_theirs) = (ours.failed(), theirs.failed());
    let rotations = site.rotations() - rotations;
    let (ours, theirs) = (ours.stop().await, theirs.stop().await);
    println!(
        "{what}, {rotations} rotations: {} of {} failed, with a password {} of {}",
        ours.errors.len(),
        ours.acknowledged,
        theirs.errors.len(),
        theirs.acknowledged
    );
    let most = theirs.errors.len() + LUCK;
    assert!(ours.errors.len() <= most, "{ours:#?} {theirs:#?}");
    if after_theirs == calm_theirs {
        assert_eq!(after, calm, "{ours:#?}");
    }
    // No token was to blame for anything.
    let redis = site.emulator.redis();
    assert_eq!(redis.auths_refused() + redis.closed_by_expiry(), 0);
    let about_tokens = |text: &&String| text.contains("NOAUTH") || text.contains("logged in");
    assert_eq!(ours.errors.iter().find(about_tokens), None);
}

async fn in_a_cluster(what: &str, resp3: bool, change: impl AsyncFnOnce(&Site)) {
    let bed = lasting().store(Store::cluster(3, 1));
    let mut site = Site::start(bed).await;
    if resp3 {
        site = site.resp3();
    }
    let config = cluster::config(&site);
    no_worse(what, site, config, 3, change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_in_a_cluster() {
    in_a_cluster("failover", true, async |site| {
        let nodes = site.emulator.cluster().unwrap();
        let promoted = nodes.fail_over(1).await.unwrap();
        site.rotate(1).await;
        nodes.fail_over(promoted).await.unwrap();
    })
    .await;
}

/// Not the one that is configured, which fred asks for the others.
#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed() {
    in_a_cluster("killed primary", false, async |site| {
        let nodes = site.emulator.cluster().unwrap();
        nodes.kill_node(1);
        nodes.wait_for_takeover(1).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_move() {
    in_a_cluster("resharding", false, async |site| {
        let nodes = site.emulator.cluster().unwrap();
        nodes.migrate_slots(0, 1, 60).await.unwrap();
        site.rotate(1).await;
        nodes.migrate_slots(2, 0, 60).await.unwrap();
    })
    .await;
}

async fn by_sentinels(what: &str, change: impl AsyncFnOnce(&Site)) {
    let bed = lasting().store(Store::sentinel(2, 3));
    let site = Site::start(bed.sentinel_login(SentinelAuth::None)).await;
    let control = site.emulator.sentinel().unwrap();
    control.wait_until_ok().await.unwrap();
    let config = sentinel::config(&site, None);
    no_worse(what, site, config, 1, change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_by_sentinels() {
    by_sentinels("failover by sentinels", async |site| {
        let control = site.emulator.sentinel().unwrap();
        control.fail_over().await.unwrap();
        control.wait_until_ok().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_master_that_is_killed() {
    by_sentinels("killed master", async |site| {
        let control = site.emulator.sentinel().unwrap();
        let killed = control.kill_master().await.unwrap();
        control.wait_for_takeover(killed).await.unwrap();
    })
    .await;
}
