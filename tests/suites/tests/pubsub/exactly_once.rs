//! Rotations lose no message, double none and mix none up.

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx_redis::AuthPubSub;
use redis_authx_suites::Bed;

use crate::support::{Pattern, Published, Publisher, collect, frequent, renewals, replacements};

const CHANNELS: usize = 20;
const END: &str = "the end";

/// What they match among `c:0` to `c:19`.
const PATTERNS: [Pattern; 3] = [
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

/// What is published, and how.
struct Run {
    /// At least as many rotations.
    rotations: usize,
    /// At least as many messages.
    messages: u64,
    pause: Option<Duration>,
    same: bool,
}

impl Run {
    async fn on(self, bed: &Bed) {
        let messages = subscriber(bed).await;
        let id = messages.status().connection;
        let reader = tokio::spawn(collect(messages, END));
        let connection = bed.multiplexed().await;
        let publisher = Publisher::start(
            connection.clone(),
            channels(),
            self.messages,
            self.pause,
            self.same,
        );
        bed.until("enough rotations", |bed| {
            renewals(bed, id) >= self.rotations
        })
        .await;
        let published: Published = publisher.stop().await;
        // The end comes after all others, on whatever connection.
        let () = connection.clone().publish(END, "").await.unwrap();
        let (messages, arrived) = reader.await.unwrap();
        arrived.assert_all(&published, &PATTERNS);
        assert_eq!(messages.gaps(), 0);
        assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
        println!(
            "{} renewals, {} of them handovers; {} published, {} arrived",
            renewals(bed, id),
            replacements(bed),
            published.values().sum::<u64>(),
            arrived.total()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resp2_hundred_thousand_messages_over_fifty_rotations() {
    let bed = frequent().start().await;
    let run = Run {
        rotations: 50,
        messages: 100_000,
        pause: Some(Duration::from_millis(1)),
        same: false,
    };
    run.on(&bed).await;
    assert!(replacements(&bed) >= 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_hundred_thousand_messages_over_fifty_rotations() {
    let bed = frequent().resp3().start().await;
    let run = Run {
        rotations: 50,
        messages: 100_000,
        pause: Some(Duration::from_millis(1)),
        same: false,
    };
    run.on(&bed).await;
    assert_eq!(replacements(&bed), 0, "re-authenticated in place");
}

/// Nothing but their number tells whether one came twice.
#[tokio::test(flavor = "multi_thread")]
async fn identical_payloads_at_full_speed() {
    let bed = frequent().start().await;
    let run = Run {
        rotations: 8,
        messages: 1,
        pause: None,
        same: true,
    };
    run.on(&bed).await;
    assert!(replacements(&bed) >= 8);
}
