//! What fred 10.1 does by itself where it is not what one would expect, so that
//! a fixed fred is noticed; and that clients with credentials are right there.

use std::time::Duration;

use fred::clients::Client;
use fred::error::ErrorKind;
use fred::interfaces::{AuthInterface, ClientLike, KeysInterface, ListInterface};
use fred::types::{ClientState, ClusterHash, CustomCommand, Value};
use redis_authx::State;
use redis_authx_suites::{Bed, KEY};

use crate::site::{Site, at_once};

/// A client of fred's that logs in with the tokens, and is not attached.
async fn stock(site: &Site) -> Client {
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let client = Client::new(config, None, None, Some(at_once()));
    client.init().await.unwrap();
    client
}

/// How many log-ins each connection had, in the order of arrival.
fn logins(site: &Site) -> Vec<u64> {
    let reports = site.emulator.redis().connection_reports();
    reports.iter().map(|report| report.auths_accepted).collect()
}

/// Trap 2: an AUTH that had no answer is sent again after a reconnect, on a
/// connection that may have logged in with a newer token.
#[tokio::test(flavor = "multi_thread")]
async fn fred_replays_an_old_auth_after_a_reconnect() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let client = stock(&site).await;
    let old = site.manager.credentials().current().unwrap();
    site.emulator
        .redis()
        .delay_next_auths(1, Duration::from_secs(60));
    let auth = {
        let client = client.clone();
        tokio::spawn(async move {
            let user = Some(old.username().to_owned());
            client.auth(user, old.password()).await
        })
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    site.manager.refresh();
    site.rotate(1).await;
    site.emulator.redis().drop_connections();
    auth.await.unwrap().unwrap();
    assert_eq!(logins(&site)[1], 2, "the newest token, then the old one");
}

/// The same with ours: one log-in, and the newest token stands.
#[tokio::test(flavor = "multi_thread")]
async fn no_auth_of_ours_is_replayed() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    site.emulator
        .redis()
        .delay_next_auths(1, Duration::from_secs(60));
    site.manager.refresh();
    site.rotate(1).await;
    let stalled = site.manager.status().generation;
    tokio::time::sleep(Duration::from_millis(200)).await;
    site.emulator.redis().drop_connections();
    site.until("it is back", |bed| bed.emulator.redis().connections() == 1)
        .await;
    site.settled(1).await;
    assert!(site.renewal.connections()[0].connection.generation >= stalled);
    () = client.set(KEY, 1, None, None, false).await.unwrap();
    let reports = site.emulator.redis().connection_reports();
    assert_eq!(
        reports[1].auths_accepted - reports[1].auths_with_same_token,
        1
    );
}

/// Trap 3: an AUTH waits for as long as a `BLPOP` blocks.
#[tokio::test(flavor = "multi_thread")]
async fn fred_has_an_auth_wait_behind_a_block() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let (client, other) = (stock(&site).await, stock(&site).await);
    let blocked = site.block(&client).await;
    let token = site.manager.credentials().current().unwrap();
    let auth = client.auth(Some(token.username().to_owned()), token.password());
    let waited = tokio::time::timeout(Duration::from_secs(1), auth).await;
    assert!(waited.is_err(), "{waited:?}");
    () = other.rpush("queue", 7).await.unwrap();
    blocked.await.unwrap().unwrap();
}

/// Trap 6: without a reconnect policy it ends the client, which says that it is
/// connected.
#[tokio::test(flavor = "multi_thread")]
async fn fred_ends_a_client_that_is_to_reconnect_without_a_policy() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let client = Client::new(config, None, None, None);
    let task = client.init().await.unwrap();
    assert!(client.force_reconnection().await.is_err());
    let _ = task.await.unwrap();
    // And a command would wait for ever.
    assert_eq!(client.state(), ClientState::Connected);
}

/// Ours is not ended for want of an AUTH: it is tried until the token expires.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_policy_is_not_ended_by_us() {
    let site = Site::start(Bed::builder()).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let client = Client::new(config, None, None, None);
    site.renewal.attach(&client);
    client.init().await.unwrap();
    site.settled(1).await;
    site.emulator.redis().refuse_next_auths(3);
    site.rotate(1).await;
    site.settled(1).await;
    assert_eq!(client.incr::<u64, _>(KEY).await.unwrap(), 1);
    assert_eq!(site.emulator.redis().connections_accepted(), 1);
}

/// Trap 9: an AUTH lands inside a raw `MULTI`, and its answer among the replies.
#[tokio::test(flavor = "multi_thread")]
async fn fred_sends_an_auth_into_a_raw_multi() {
    let site = Site::start(Bed::builder().lifetime(Duration::from_secs(60))).await;
    let client = stock(&site).await;
    let raw = |command| CustomCommand::new_static(command, ClusterHash::Random, false);
    let none = Vec::<Value>::new;
    () = client.custom(raw("MULTI"), none()).await.unwrap();
    let token = site.manager.credentials().current().unwrap();
    let auth = client.auth(Some(token.username().to_owned()), token.password());
    assert!(auth.await.is_err(), "+QUEUED is no +OK");
    () = client.custom(raw("PING"), none()).await.unwrap();
    let replies: Vec<Value> = client.custom(raw("EXEC"), none()).await.unwrap();
    assert_eq!(replies.len(), 2);
    assert_eq!(site.emulator.redis().auths_in_transactions(), 1);
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
        bed.manager.status().state == State::Stopped
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
