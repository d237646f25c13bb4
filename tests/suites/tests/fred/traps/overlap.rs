//! Trap 8, which is none: how a subscriber over RESP2 can be handed over.

use fred::clients::{Client, SubscriberClient};
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use redis_authx_suites::Bed;

use super::stock;
use crate::site::{Site, at_once};

const CHANNEL: &str = "news";

/// Publishes `number` until it reaches `receivers` at once, and each time at
/// least one of those before: `subscribe` returns before it is in force.
async fn publish(publisher: &Client, number: u64, before: u64, receivers: u64) {
    let text = number.to_string();
    let mut reached = u64::MAX;
    while reached != receivers {
        reached = publisher.publish(CHANNEL, text.clone()).await.unwrap();
        assert!(reached >= before, "a gap");
    }
}

/// From the subscription on the new client gets everything; up to its end the
/// old one does.
#[tokio::test(flavor = "multi_thread")]
async fn a_clone_takes_over_without_a_gap_and_doubles() {
    let site = Site::start(Bed::builder().calm()).await;
    let publisher = stock(&site, site.config()).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let old = SubscriberClient::new(config, None, None, Some(at_once()));
    old.init().await.unwrap();
    old.subscribe(CHANNEL).await.unwrap();
    let mut at_old = old.message_rx();
    publish(&publisher, 1, 0, 1).await;

    let new = old.clone_new();
    new.init().await.unwrap();
    let mut at_new = new.message_rx();
    new.resubscribe_all().await.unwrap();
    publish(&publisher, 2, 1, 2).await;
    old.quit().await.unwrap();
    publish(&publisher, 3, 1, 1).await;

    for (messages, numbers) in [(&mut at_old, 1..=2), (&mut at_new, 2..=3)] {
        for number in numbers {
            let is = |message: fred::types::Message| message.value.convert::<u64>().unwrap();
            while is(messages.recv().await.unwrap()) != number {}
        }
    }
}
