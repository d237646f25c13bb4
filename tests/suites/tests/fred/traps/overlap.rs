//! Trap 8, which is none: how a subscriber over RESP2 can be handed over.

use std::ops::RangeInclusive;

use fred::clients::{Client, SubscriberClient};
use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::Message;
use fred::types::config::PerformanceConfig;
use redis_authx_suites::Bed;
use tokio::sync::broadcast::Receiver;

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
    let roomy = PerformanceConfig {
        broadcast_channel_capacity: 1 << 16,
        ..PerformanceConfig::default()
    };
    let old = SubscriberClient::new(config, Some(roomy), None, Some(at_once()));
    old.init().await.unwrap();
    old.subscribe(CHANNEL).await.unwrap();
    let mut at_old = old.message_rx();
    publish(&publisher, 1, 0, 1).await;

    let new = old.clone_new();
    new.init().await.unwrap();
    let mut at_new = new.message_rx();
    new.resubscribe_all().await.unwrap();
    publish(&publisher, 2, 1, 2).await;
    // By quit, fred closes a connection with what it has not read.
    read(&mut at_old, 1..=2).await;
    old.quit().await.unwrap();
    publish(&publisher, 3, 1, 1).await;
    read(&mut at_new, 2..=3).await;
}

/// Reads up to each of these in turn.
async fn read(messages: &mut Receiver<Message>, numbers: RangeInclusive<u64>) {
    for number in numbers {
        let is = |message: Message| message.value.convert::<u64>().unwrap();
        while is(messages.recv().await.unwrap()) != number {}
    }
}
