//! An AUTH never lands inside a transaction of fred's builder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface, TransactionInterface};
use fred::types::{ClusterHash, CustomCommand, Value};
use redis_authx::{Event, ReauthPolicy};
use redis_authx_emulator::Store;
use redis_authx_suites::{Bed, BedBuilder, Server, on_every_server};
use tokio::task::JoinHandle;

use crate::cluster::config;
use crate::site::Site;

on_every_server!(
    two_hundred_rotations_hit_none,
    nor_in_resp3,
    a_raw_multi_is_not_mistaken_for_a_renewal,
);

/// Adds two to a key in each of its transactions, and checks their replies.
fn adding(client: &Client, key: String, stop: &Arc<AtomicBool>) -> JoinHandle<u64> {
    let (client, stop) = (client.clone(), Arc::clone(stop));
    tokio::spawn(async move {
        let mut done = 0;
        while !stop.load(Ordering::SeqCst) {
            let transaction = client.multi();
            () = transaction.incr(&key).await.unwrap();
            () = transaction.incr(&key).await.unwrap();
            let replies: Vec<u64> = transaction.exec(true).await.unwrap();
            done += 2;
            assert_eq!(replies, [done - 1, done]);
        }
        done
    })
}

/// Every `EXEC` has exactly its own replies, over rotations each of which
/// reaches every one of the client's connections.
async fn are_never_hit(site: Site, client: Client, connections: usize, rotations: usize) {
    client.init().await.unwrap();
    site.settled(connections).await;
    let before = (site.emulator.redis().auths(), site.rotations());
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|task| adding(&client, format!("atomic:{task}"), &stop))
        .collect();
    for _ in 0..rotations {
        site.turn().await;
        site.settled(connections).await;
    }
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        assert!(task.await.unwrap() > 0);
    }
    let auths = site.emulator.redis().auths() - before.0;
    // And one on a connection of its own.
    let rotations = site.rotations() - before.1;
    assert_eq!(auths, (rotations * (connections + 1)) as u64);
    assert_eq!(site.emulator.redis().auths_in_transactions(), 0);
}

/// A rotation every few milliseconds.
async fn turning(bed: BedBuilder) -> Site {
    let bed = bed.brisk();
    let at_once = ReauthPolicy::builder().stagger(0.0);
    Site::start(bed).await.renewed_by(at_once)
}

async fn two_hundred_rotations_hit_none(server: Server) {
    let site = turning(server.bed()).await;
    let client = site.clients().build().unwrap();
    are_never_hit(site, client, 1, 200).await;
}

async fn nor_in_resp3(server: Server) {
    let site = turning(server.bed()).await.resp3();
    let client = site.clients().build().unwrap();
    are_never_hit(site, client, 1, 200).await;
}

/// Where each node is sent an AUTH by a way of our own.
#[tokio::test(flavor = "multi_thread")]
async fn nor_in_a_cluster() {
    let site = turning(Bed::builder().store(Store::cluster(3, 1))).await;
    let client = site.clients_of(config(&site)).build().unwrap();
    are_never_hit(site, client, 3, 50).await;
}

fn raw(command: &'static str) -> CustomCommand {
    CustomCommand::new_static(command, ClusterHash::Random, false)
}

/// fred shows nobody the commands that go by. A raw `MULTI` gets the AUTH, which
/// is noticed: it is not taken for a success, and sent again.
async fn a_raw_multi_is_not_mistaken_for_a_renewal(server: Server) {
    let site = Site::start(server.bed().calm()).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    () = client
        .custom(raw("MULTI"), Vec::<Value>::new())
        .await
        .unwrap();
    site.until("an AUTH was queued", |bed| {
        bed.emulator.redis().auths_in_transactions() > 0
    })
    .await;
    let is_deferred = |event: &Event| matches!(event, Event::Deferred { .. });
    site.until("it was noticed", |bed| bed.count(is_deferred) > 0)
        .await;
    let queued = site.emulator.redis().auths_in_transactions();
    () = client
        .custom(raw("DISCARD"), Vec::<Value>::new())
        .await
        .unwrap();
    site.settled(1).await;
    assert!(queued > 0);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}
