//! Rotations lose no message, double none and mix none up.

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx_redis::AuthPubSub;
use redis_authx_suites::{Bed, PATTERNS, Published, Publisher, Server, channels, on_every_server};

use crate::support::collect;

on_every_server!(identical_payloads_at_full_speed,);

const END: &str = "the end";

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
        for target in 1..=self.rotations {
            bed.until("one more rotation", |bed| bed.renewals(id) >= target)
                .await;
        }
        let published: Published = publisher.stop().await;
        // The end comes after all others, on whatever connection.
        let () = connection.clone().publish(END, "").await.unwrap();
        let (messages, arrived) = reader.await.unwrap();
        arrived.assert_all(&published, &PATTERNS);
        assert_eq!(messages.gaps(), 0);
        assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
        println!(
            "{} renewals, {} of them handovers; {} published, {} arrived",
            bed.renewals(id),
            bed.replacements(),
            published.values().sum::<u64>(),
            arrived.total()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resp2_hundred_thousand_messages_over_fifty_rotations() {
    let bed = Bed::builder().frequent().start().await;
    let run = Run {
        rotations: 50,
        messages: 100_000,
        pause: Some(Duration::from_millis(1)),
        same: false,
    };
    run.on(&bed).await;
    assert!(bed.replacements() >= 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_hundred_thousand_messages_over_fifty_rotations() {
    let bed = Bed::builder().frequent().resp3().start().await;
    let run = Run {
        rotations: 50,
        messages: 100_000,
        pause: Some(Duration::from_millis(1)),
        same: false,
    };
    run.on(&bed).await;
    assert_eq!(bed.replacements(), 0, "re-authenticated in place");
}

/// Nothing but their number tells whether one came twice.
async fn identical_payloads_at_full_speed(server: Server) {
    let bed = server.bed().frequent().start().await;
    let run = Run {
        rotations: 8,
        messages: 1,
        pause: None,
        same: true,
    };
    run.on(&bed).await;
    assert!(bed.replacements() >= 8);
}
