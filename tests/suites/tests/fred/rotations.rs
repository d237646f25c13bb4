//! Rotations under load, for every kind of client.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::Builder;
use redis_authx::{Event, ReauthPolicy};
use redis_authx_fred::BuilderExt;
use redis_authx_suites::{Bed, KEY, prompt};

use crate::load::Load;
use crate::site::{Site, at_once};

/// Nothing fails, nothing is lost, and the connection sends one AUTH a rotation,
/// after one on a connection of its own.
async fn one_client(site: Site) {
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let before = (site.rotations(), site.emulator.redis().auths());

    let load = Load::start(&client, 16, Load::one_key);
    site.rotate(4).await;
    site.settled(1).await;
    let rotations = site.rotations() - before.0;
    let auths = site.emulator.redis().auths() - before.1;
    let seen = load.stop().await;

    assert_eq!(seen.errors, [""; 0]);
    let counted: u64 = client.get(KEY).await.unwrap();
    assert_eq!(counted, seen.acknowledged);
    assert_eq!(auths, 2 * rotations as u64);
    let redis = site.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    site.opened(1).await;
    assert_eq!(redis.connection_reports()[0].auths_with_same_token, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_lives_through_rotations() {
    one_client(Site::start(Bed::builder()).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_is_no_different() {
    one_client(Site::start(Bed::builder()).await.resp3()).await;
}

/// 32 clients, each with one AUTH a rotation, and not all at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_32_is_staggered() {
    const SIZE: usize = 32;
    // The last has its AUTH well before the next rotation.
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(9))).await;
    let site = site.renewed_by(ReauthPolicy::builder().stagger(0.1));
    let pool = site.clients().build_pool(SIZE).unwrap();
    pool.init().await.unwrap();
    site.settled(SIZE).await;
    let before = (site.rotations(), site.emulator.redis().auths());
    let issued = site.emulator.identity().tokens_issued();

    let load = Load::start(&pool, 64, Load::one_key);
    site.rotate(4).await;
    site.settled(SIZE).await;
    let rotations = site.rotations() - before.0;
    let auths = site.emulator.redis().auths() - before.1;
    let seen = load.stop().await;

    assert_eq!(seen.errors, [""; 0]);
    let counted: u64 = pool.get(KEY).await.unwrap();
    assert_eq!(counted, seen.acknowledged);
    assert_eq!(auths, ((SIZE + 1) * rotations) as u64);
    // Of which the last may have come too late.
    let issued = site.emulator.identity().tokens_issued() - issued;
    assert!(
        issued <= site.rotations() as u64 + 1 - before.0 as u64,
        "{issued}"
    );
    let redis = site.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    site.opened(SIZE).await;
    let spread = |event: &Event| matches!(event, Event::Staggered { connections: SIZE, window, .. } if !window.is_zero());
    assert!(site.count(spread) >= rotations);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exclusive_pool_lives_through_rotations() {
    const SIZE: usize = 4;
    let site = Site::start(Bed::builder().outlived()).await;
    let site = site.renewed_by(prompt());
    let pool = site.clients().build_exclusive_pool(SIZE).unwrap();
    pool.init().await.unwrap();
    site.settled(SIZE).await;
    // One is lent out all the while.
    let lent: Client = pool.acquire().await.clone();
    let guard = pool.acquire().await;
    let load = Load::start(&lent, 4, Load::one_key);
    site.rotate(6).await;
    site.settled(SIZE).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(guard.get::<u64, _>(KEY).await.unwrap(), seen.acknowledged);
    let redis = site.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    // What they logged in with is not known: the first token is shown as well.
    site.opened(SIZE + 1).await;
}

/// Of two clients and a third that is added later.
#[tokio::test(flavor = "multi_thread")]
async fn a_dynamic_pool_lives_through_rotations() {
    let site = Site::start(Bed::builder().outlived()).await;
    let site = site.renewed_by(prompt());
    let mut builder = Builder::from_config(site.config());
    builder.set_policy(at_once());
    builder.with_pool_config(|config| {
        config.min_clients = 2;
        config.max_clients = 4;
    });
    let pool = builder.renewal(&site.renewal).build_dynamic_pool().unwrap();
    pool.init().await.unwrap();
    site.settled(2).await;
    assert_eq!(pool.scale(1).await, 1);
    site.settled(3).await;
    site.rotate(6).await;
    site.settled(3).await;
    for _ in 0..6 {
        let _: u64 = pool.next().incr(KEY).await.unwrap();
    }
    let redis = site.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    site.opened(3 + 1).await;
    assert_eq!(pool.scale(-1).await, -1);
    site.settled(2).await;
}
