//! With one server.

use std::time::Duration;

use fred::error::ErrorKind;
use fred::interfaces::{ClientLike, KeysInterface, ListInterface};
use fred::types::{ClusterHash, CustomCommand, Value};
use redis_authx::{ManagerState, ReauthPolicy};
use redis_authx_suites::{Bed, KEY};

use super::{Ticking, changes, stock};
use crate::site::{Site, is_renewal};

const STALL: Duration = Duration::from_secs(60);

/// Trap 2: an AUTH that had no answer is sent again after a reconnect, on a
/// connection that has logged in with a newer token.
#[tokio::test(flavor = "multi_thread")]
async fn a_tick_puts_an_old_token_in_the_place_of_a_newer_one() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let ticking = Ticking::every(Duration::from_millis(50), &site);
    let client = ticking.client(site.config()).await;
    site.emulator.redis().delay_next_auths(1, STALL);
    site.until("an AUTH has no answer", |bed| {
        bed.emulator.redis().auths_in_flight() == 1
    })
    .await;
    site.turn().await;
    site.emulator.redis().drop_connections();
    // The newest by the log-in, the old one, and by the next tick the newest.
    site.until("the tokens have changed twice", |_| {
        changes(&site).get(1) == Some(&3)
    })
    .await;
    client.quit().await.unwrap();
}

/// The same with ours: one log-in, and the newest token stands.
#[tokio::test(flavor = "multi_thread")]
async fn no_auth_of_ours_is_replayed() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    // The second sends it a second and a half later.
    let site = site.renewed_by(ReauthPolicy::builder().stagger(0.05));
    let (first, client) = (site.clients().build(), site.clients().build().unwrap());
    first.unwrap().init().await.unwrap();
    client.init().await.unwrap();
    site.settled(2).await;
    site.turn().await;
    site.until("the first has sent it", |bed| bed.count(is_renewal) == 1)
        .await;
    site.emulator.redis().delay_next_auths(1, STALL);
    let stalled = site.manager.status().generation;
    site.until("an AUTH has no answer", |bed| {
        bed.emulator.redis().auths_in_flight() == 1
    })
    .await;
    site.emulator.redis().drop_connections();
    site.until("they are back", |bed| {
        bed.emulator.redis().connections() == 2
    })
    .await;
    site.settled(2).await;
    assert!(site.renewal.connections()[0].connection.generation >= stalled);
    () = client.set(KEY, 1, None, None, false).await.unwrap();
    // After the two that are gone, and the one on which the token was shown.
    assert!(changes(&site)[3..].iter().all(|&changes| changes == 1));
}

/// Trap 3: an AUTH waits for as long as a `BLPOP` blocks, and the token expires.
#[tokio::test(flavor = "multi_thread")]
async fn a_tick_waits_behind_a_block() {
    let site = Site::start(Bed::builder()).await;
    let ticking = Ticking::every(Duration::from_millis(200), &site);
    let client = ticking.client(site.config()).await;
    let blocked = site.block(&client).await;
    site.until("the server has hung up", |bed| {
        bed.emulator.redis().closed_by_expiry() > 0
    })
    .await;
    let other = stock(&site, site.config()).await;
    () = other.rpush("queue", 7).await.unwrap();
    blocked.await.unwrap().unwrap();
    client.quit().await.unwrap();
}

/// Trap 9: an AUTH lands inside a raw `MULTI`, and its answer among the replies.
#[tokio::test(flavor = "multi_thread")]
async fn a_tick_gets_into_a_raw_multi() {
    let site = Site::start(Bed::builder().calm()).await;
    let ticking = Ticking::every(Duration::from_millis(50), &site);
    let client = ticking.client(site.config()).await;
    let raw = |command| CustomCommand::new_static(command, ClusterHash::Random, false);
    let none = Vec::<Value>::new;
    () = client.custom(raw("MULTI"), none()).await.unwrap();
    site.until("a tick got into it", |bed| {
        bed.emulator.redis().auths_in_transactions() > 0
    })
    .await;
    () = client.custom(raw("PING"), none()).await.unwrap();
    let replies: Vec<Value> = client.custom(raw("EXEC"), none()).await.unwrap();
    assert!(replies.len() >= 2, "{replies:?}");
    client.quit().await.unwrap();
}

/// What the hook itself reports is never of a kind that ends a client.
#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_no_fatal_error() {
    let site = Site::on(
        Bed::builder()
            .start_with(|emulator| emulator.identity().outage(Duration::from_secs(3)))
            .await,
    );
    let mut config = site.config();
    config.fail_fast = false;
    let client = site.clients_of(config).build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    assert_eq!(client.incr::<u64, _>(KEY).await.unwrap(), 1);
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    site.manager.stop();
    site.until("it has stopped", |bed| {
        bed.manager.status().state == ManagerState::Stopped
    })
    .await;
    let error = config
        .credential_provider
        .unwrap()
        .fetch(None)
        .await
        .unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Auth, "{error}");
}
