//! Subscribers, over RESP3 and RESP2.

use fred::clients::{Client, SubscriberClient};
use fred::error::Error;
use fred::interfaces::{AuthInterface, ClientLike, EventInterface, PubsubInterface};
use fred::types::Builder;
use redis_authx::Event;
use redis_authx_fred::BuilderExt;
use redis_authx_suites::{Bed, allow, prompt};
use tokio::task::JoinHandle;

use crate::site::{Site, at_once, is_replacement};

const CHANNEL: &str = "news";
const LAST: u64 = u64::MAX;
/// More than the first token lives.
const ROTATIONS: usize = 6;

async fn subscriber(site: &Site) -> SubscriberClient {
    let mut builder = Builder::from_config(site.config());
    builder.set_policy(at_once());
    // Nothing may be dropped for want of room.
    builder.with_performance_config(|config| config.broadcast_channel_capacity = 1 << 16);
    let client = builder
        .renewal(&site.renewal)
        .build_subscriber_client()
        .unwrap();
    client.init().await.unwrap();
    client.subscribe(CHANNEL).await.unwrap();
    drop(client.manage_subscriptions());
    client
}

/// All that comes, up to the last one.
fn collect(client: &SubscriberClient) -> JoinHandle<Vec<u64>> {
    let mut messages = client.message_rx();
    tokio::spawn(async move {
        let mut got = Vec::new();
        loop {
            match messages.recv().await.unwrap().value.convert().unwrap() {
                LAST => return got,
                number => got.push(number),
            }
        }
    })
}

/// Publishes numbers without a pause until so many rotations have passed, and at
/// last the last one, until somebody gets it. Says how many. The publisher is
/// never replaced: none is published twice.
async fn publish(site: &Site, publisher: &Client, collecting: &JoinHandle<Vec<u64>>) -> u64 {
    let target = site.rotations() + ROTATIONS;
    let mut number = 0;
    while site.rotations() < target {
        let reached: u64 = publisher
            .publish(CHANNEL, number.to_string())
            .await
            .unwrap();
        // The first until it is subscribed: fred's call returns before that.
        number += u64::from(number > 0 || reached > 0);
    }
    site.settled(1).await;
    while !collecting.is_finished() {
        let _: u64 = publisher.publish(CHANNEL, LAST.to_string()).await.unwrap();
    }
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_loses_nothing_and_doubles_nothing() {
    let site = Site::start(Bed::builder().outlived()).await.resp3();
    let site = site.renewed_by(prompt());
    let publisher = site.with_a_password(site.config()).await;
    let client = subscriber(&site).await;
    site.settled(1).await;
    let got = collect(&client);
    let published = publish(&site, &publisher, &got).await;
    assert_eq!(got.await.unwrap(), (0..published).collect::<Vec<_>>());
    let redis = site.emulator.redis();
    assert_eq!(redis.closed_by_expiry(), 0);
    site.opened(2).await;
}

/// Over RESP2 the connection is replaced at each rotation, before it expires:
/// what is published in between is lost, nothing is doubled, and no failure is
/// reported.
#[tokio::test(flavor = "multi_thread")]
async fn resp2_is_reconnected_in_time() {
    let site = Site::start(Bed::builder().outlived()).await;
    let site = site.renewed_by(prompt());
    let publisher = site.with_a_password(site.config()).await;
    let client = subscriber(&site).await;
    site.settled(1).await;
    let got = collect(&client);
    let published = publish(&site, &publisher, &got).await;
    let got = got.await.unwrap();
    assert!(got.is_sorted_by(|one, next| one < next), "doubled");
    assert!(got.last() >= Some(&(published / 2)), "{published}: {got:?}");
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
    site.until("it is reconnected at each rotation", |bed| {
        bed.count(is_replacement) >= ROTATIONS
    })
    .await;
    // fred subscribes to no patterns as well, and takes the server's refusal for
    // the answer to an AUTH that follows at once: for a token that came meanwhile.
    let failed = |event: &Event| {
        matches!(event, Event::ReauthFailed { .. })
            && !format!("{event:?}").contains("'psubscribe'")
    };
    assert_eq!(site.count(failed), 0, "{:#?}", site.events());
}

/// Trap 7: while it subscribes over RESP2, it can't send `AUTH`.
#[tokio::test(flavor = "multi_thread")]
async fn fred_can_not_re_authenticate_a_subscriber_over_resp2() {
    let site = Site::start(Bed::builder()).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let client = SubscriberClient::new(config, None, None, Some(at_once()));
    client.init().await.unwrap();
    client.subscribe(CHANNEL).await.unwrap();
    let token = site.manager.credentials().current().unwrap();
    let auth = client.auth(Some(token.username().to_owned()), token.password());
    let refused: Result<(), Error> = auth.await;
    let error = refused.unwrap_err();
    assert!(error.details().contains("'auth'"), "{error}");
}

/// fred says that a subscription is there before it has asked the server, and
/// nobody hears of the refusal.
#[tokio::test(flavor = "multi_thread")]
async fn fred_does_not_tell_that_a_subscription_is_refused() {
    let site = Site::start(Bed::builder().calm()).await;
    let client = subscriber(&site).await;
    let mut publisher = site.multiplexed().await;
    allow(&mut publisher, &["resetchannels", "&allowed"]).await;
    client.subscribe("forbidden").await.unwrap();
    assert!(client.tracked_channels().contains("forbidden"));
}

/// Neither tokens nor what it is subscribed to.
#[tokio::test(flavor = "multi_thread")]
async fn it_shows_no_secrets() {
    let site = Site::start(Bed::builder()).await;
    let subscriber = crate::handovers::connected(&site).await;
    subscriber.subscribe("layoffs").await.unwrap();
    let token = site.manager.credentials().current().unwrap();
    let shown = format!("{subscriber:?}");
    assert!(shown.starts_with("AuthSubscriber"), "{shown}");
    assert!(!shown.contains(token.password()), "{shown}");
    assert!(!shown.contains("layoffs"), "{shown}");
}
