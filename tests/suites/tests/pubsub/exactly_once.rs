//! Rotations lose no message, double none and mix none up.

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx::Event;
use redis_authx_redis::AuthPubSub;
use redis_authx_suites::Bed;

use crate::support::{Published, Publisher, collect, frequent, replacements};

const CHANNELS: usize = 20;
const END: &str = "the end";

/// What they match among `c:0` to `c:19`.
const PATTERNS: [(&str, fn(&str) -> bool); 3] = [
    ("c:*", |_| true),
    ("c:1*", |channel| channel.starts_with("c:1")),
    ("c:?", |channel| channel.len() == 3),
];

fn channels() -> Vec<String> {
    (0..CHANNELS).map(|number| format!("c:{number}")).collect()
}

async fn subscriber(bed: &Bed) -> AuthPubSub {
    let messages = bed.client.pubsub().await.unwrap();
    messages.subscribe(channels()).await.unwrap();
    let patterns: Vec<&str> = PATTERNS.iter().map(|(pattern, _)| *pattern).collect();
    messages.psubscribe(patterns).await.unwrap();
    messages.subscribe(END).await.unwrap();
    messages
}

/// Publishes at least `least` messages over at least `rotations` rotations.
async fn run(bed: &Bed, rotations: usize, least: u64, pause: Option<Duration>, same: bool) {
    let messages = subscriber(bed).await;
    let reader = tokio::spawn(collect(messages, END));
    let before = bed.rotations();
    let connection = bed.multiplexed().await;
    let publisher = Publisher::start(connection.clone(), channels(), least, pause, same);
    bed.rotate(rotations).await;
    let published: Published = publisher.stop().await;
    // The end comes after all others, on whatever connection.
    let () = connection.clone().publish(END, "").await.unwrap();
    let (messages, arrived) = reader.await.unwrap();
    arrived.assert_all(&published, &PATTERNS);
    assert_eq!(messages.gaps(), 0);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    let failed = |event: &Event| matches!(event, Event::ReauthFailed { .. });
    assert_eq!(bed.count(failed), 0, "{:#?}", bed.events());
    println!(
        "{} rotations, {} handovers, {} published, {} arrived",
        bed.rotations() - before,
        replacements(bed),
        published.values().sum::<u64>(),
        arrived.total()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn resp2_hundred_thousand_messages_over_fifty_rotations() {
    let bed = frequent().start().await;
    run(&bed, 50, 100_000, Some(Duration::from_millis(3)), false).await;
    assert!(replacements(&bed) >= 40, "{}", replacements(&bed));
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_hundred_thousand_messages_over_fifty_rotations() {
    let bed = frequent().resp3().start().await;
    run(&bed, 50, 100_000, Some(Duration::from_millis(3)), false).await;
    assert_eq!(replacements(&bed), 0, "re-authenticated in place");
}

/// Nothing but their number tells whether one came twice.
#[tokio::test(flavor = "multi_thread")]
async fn identical_payloads_at_full_speed() {
    let bed = frequent().start().await;
    run(&bed, 10, 1, None, true).await;
    assert!(replacements(&bed) >= 5);
}
