//! The Redis server misbehaves. What the application sees, and that all is well
//! again without help.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::Config;
use redis_authx::{Event, ReauthErrorKind, ReauthPolicy};
use redis_authx_emulator::Store;
use redis_authx_suites::{Bed, BedBuilder, KEY, PATIENCE};

use crate::cluster;
use crate::load::{Load, Seen};
use crate::site::{Site, is_renewal, is_replacement};

const fn not_taken(kind: ReauthErrorKind) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::ReauthFailed { error, .. } if error.kind() == kind)
}

async fn connected(site: &Site) -> Client {
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    client
}

/// Waits until commands are answered once more, on whatever connection.
async fn answered(site: &Site, load: &Load) {
    let before = load.acknowledged();
    site.until("commands are answered", |_| load.acknowledged() > before)
        .await;
}

/// What was counted is what was acknowledged; what fred has sent again may count
/// twice.
async fn assert_counted(client: &Client, seen: &Seen) {
    let counted: u64 = client.get(KEY).await.unwrap();
    assert!(counted >= seen.acknowledged, "{counted}: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_refused_once_is_not_noticed() {
    let site = Site::start(Bed::builder().calm()).await;
    let client = connected(&site).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.emulator.redis().refuse_next_auths(1);
    site.rotate(1).await;
    site.settled(1).await;
    // And renewal goes on.
    site.rotate(1).await;
    site.settled(1).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(site.emulator.redis().auths_refused(), 1);
    assert_eq!(site.count(not_taken(ReauthErrorKind::Refused)), 1);
    assert_eq!(site.replacements(), 0);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

/// The server stalls: commands never wait longer than the AUTH.
#[tokio::test(flavor = "multi_thread")]
async fn auth_delayed_delays_commands_and_fails_none() {
    let stall = Duration::from_secs(1);
    let site = Site::start(Bed::builder().calm()).await;
    let client = connected(&site).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.emulator.redis().delay_next_auths(1, stall);
    site.turn().await;
    let slow = |event: &Event| matches!(event, Event::Reauthenticated { latency, .. } if *latency >= stall);
    site.until("it has had its answer", |bed| bed.count(slow) >= 1)
        .await;
    site.settled(1).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(site.replacements(), 0);
    assert_eq!(client.get::<u64, _>(KEY).await.unwrap(), seen.acknowledged);
}

/// The server stalls for longer than the token lives: the connection is
/// replaced, and the commands that waited for it are sent again there.
#[tokio::test(flavor = "multi_thread")]
async fn auth_that_hangs_leads_to_a_new_connection() {
    // Three seconds after the rotation, and by us: the token lives far longer.
    // Another shows the token, half of the window before.
    let policy = ReauthPolicy::builder().stagger(0.02).replace_after(0.05);
    let bed = Bed::builder().lifetime(Duration::from_secs(60));
    let site = Site::start(bed).await.renewed_by(policy);
    let other = connected(&site).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(2).await;
    let load = Load::start(&client, 8, Load::one_key);
    let redis = site.emulator.redis();
    site.turn().await;
    site.until("the other has sent it", |bed| bed.count(is_renewal) == 1)
        .await;
    redis.delay_next_auths(1, 2 * PATIENCE);
    site.until("it is replaced", |bed| bed.count(is_replacement) == 1)
        .await;
    answered(&site, &load).await;
    site.settled(2).await;
    site.turn().await;
    site.settled(2).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(site.replacements(), 1);
    assert_counted(&client, &seen).await;
    other.quit().await.unwrap();
}

/// As at the server's `maxclients`: the token can't be shown, and its connection
/// can't be replaced. It takes the new token in place when its end is near.
async fn renewed_while_new_connections_are_refused(site: Site, config: Config, nodes: usize) {
    let client = site.clients_of(config).build().unwrap();
    client.init().await.unwrap();
    site.settled(nodes).await;
    let redis = site.emulator.redis();
    redis.refuse_connections(true);
    site.turn().await;
    site.settled(nodes).await;
    assert_eq!(site.replacements(), nodes);
    let live = redis.connection_reports();
    assert!(live.iter().all(|report| !report.closed_by_expiry));
    let _: u64 = client.incr(KEY).await.unwrap();
    redis.refuse_connections(false);
    site.turn().await;
    site.settled(nodes).await;
    assert_eq!(site.replacements(), nodes);
}

/// Three seconds after a rotation it is not waited for a showing any longer.
async fn impatient(bed: BedBuilder) -> Site {
    let policy = ReauthPolicy::builder().stagger(0.0).replace_after(0.05);
    let bed = bed.lifetime(Duration::from_secs(60));
    Site::start(bed).await.renewed_by(policy)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_is_renewed_while_new_connections_are_refused() {
    let site = impatient(Bed::builder()).await;
    let config = site.config();
    renewed_while_new_connections_are_refused(site, config, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_renewed_while_new_connections_are_refused() {
    let site = impatient(Bed::builder().store(Store::cluster(3, 0))).await;
    let config = cluster::config(&site);
    renewed_while_new_connections_are_refused(site, config, 3).await;
}

/// Every token so far is revoked: a reconnect is refused until the manager,
/// asked for it, has fetched a fresh one.
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_reconnect_fetches_a_fresh_token() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let client = connected(&site).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.emulator.redis().refuse_auth_until_fresh_token();
    site.emulator.redis().drop_connections();
    site.until("the manager was asked", |bed| bed.rotations() == 1)
        .await;
    answered(&site, &load).await;
    site.settled(1).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert!(site.emulator.redis().auths_refused() >= 1);
    assert_counted(&client, &seen).await;
}

/// Another is asked for once in five minutes, unless the server had taken the
/// one that it refuses: so it had on the connection that replaced another.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_after_a_replacement_is_replaced_as_well() {
    let policy = ReauthPolicy::builder().stagger(0.0).replace_after(0.000_25);
    let bed = Bed::builder().brisk().ratio(0.9);
    let site = Site::start(bed).await.renewed_by(policy);
    let client = connected(&site).await;
    let revoke = async || {
        let rotations = site.rotations();
        site.emulator.redis().refuse_auth_until_fresh_token();
        site.emulator.redis().drop_connections();
        site.until("the manager was asked", |bed| bed.rotations() > rotations)
            .await;
        site.settled(1).await;
        let _: u64 = client.incr(KEY).await.unwrap();
    };
    revoke().await;
    site.replace().await;
    site.settled(1).await;
    revoke().await;
}

/// Whatever the token: fred tries again, and no command notices.
#[tokio::test(flavor = "multi_thread")]
async fn auth_refused_during_a_reconnect_heals() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let client = connected(&site).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.emulator.redis().refuse_next_auths(4);
    site.emulator.redis().drop_connections();
    site.until("it was refused", |bed| {
        bed.emulator.redis().auths_refused() == 4
    })
    .await;
    answered(&site, &load).await;
    site.settled(1).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_counted(&client, &seen).await;
}

/// fred sends what was under way again; renewal goes on there.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_connections_cost_nothing() {
    let site = Site::start(Bed::builder().calm()).await;
    let client = connected(&site).await;
    let load = Load::start(&client, 8, Load::one_key);
    for _ in 0..3 {
        site.rotate(1).await;
        site.settled(1).await;
        site.emulator.redis().drop_connections();
        answered(&site, &load).await;
    }
    site.rotate(1).await;
    site.settled(1).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
    assert_counted(&client, &seen).await;
}

/// What it reconnected with is known: no `AUTH` is spent on finding it out.
#[tokio::test(flavor = "multi_thread")]
async fn a_reconnect_logs_in_once_with_the_newest_token() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let client = connected(&site).await;
    let first = site.renewal.connections()[0].connection.connection;
    site.emulator.redis().drop_connections();
    site.until("it is a connection of its own", |_| {
        let connections = site.renewal.connections();
        connections.len() == 1 && connections[0].connection.connection != first
    })
    .await;
    site.settled(1).await;
    () = client.set(KEY, 1, None, None, false).await.unwrap();
    let redis = site.emulator.redis();
    assert_eq!(redis.connections_accepted(), 2);
    assert_eq!(redis.auths(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_reconnected_to() {
    let site = Site::start(Bed::builder().calm()).await;
    let client = connected(&site).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.rotate(1).await;
    site.emulator.redis().restart_server().await.unwrap();
    answered(&site, &load).await;
    site.settled(1).await;
    site.rotate(1).await;
    site.settled(1).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}
