//! Messages that are numbered in each channel, and what of them arrives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::{Msg, pipe};
use redis_authx::Event;
use redis_authx::reauth::ConnectionId;
use redis_authx_redis::{AuthConnection, AuthPubSub};
use redis_authx_suites::{Bed, BedBuilder, PATIENCE};
use tokio::task::JoinHandle;

/// Tokens that are renewed long before they expire, and often: a busy machine
/// has time, and a test many rotations.
pub(crate) fn frequent() -> BedBuilder {
    Bed::builder()
        .lifetime(Duration::from_secs(60))
        .ratio(0.005)
        .min_interval(Duration::from_millis(50))
}

pub(crate) fn replacements(bed: &Bed) -> usize {
    bed.count(|event| matches!(event, Event::Replaced { .. }))
}

/// How often a subscriber has got a newer token.
pub(crate) fn renewals(bed: &Bed, subscriber: ConnectionId) -> usize {
    bed.count(|event| match event {
        Event::Reauthenticated { connection, .. } | Event::Replaced { connection, .. } => {
            *connection == subscriber
        }
        _ => false,
    })
}

/// The next message, which has to come.
pub(crate) async fn next(messages: &mut AuthPubSub) -> Msg {
    let message = tokio::time::timeout(PATIENCE, messages.next()).await;
    message.expect("a message").expect("not the end")
}

pub(crate) async fn next_payload(messages: &mut AuthPubSub) -> String {
    next(messages).await.get_payload().unwrap()
}

/// Waits until the subscriber has the newest token.
pub(crate) async fn settled(bed: &Bed, messages: &AuthPubSub) {
    bed.until("the subscriber has the newest token", |bed| {
        messages.status().generation == bed.manager.status().generation
    })
    .await;
}

/// How many messages went to each channel.
pub(crate) type Published = BTreeMap<String, u64>;

/// Publishes to channels in turn until it is stopped.
pub(crate) struct Publisher {
    enough: Arc<AtomicBool>,
    task: JoinHandle<Published>,
}

impl Publisher {
    /// Publishes at least `least` messages: numbers, or always the same text.
    pub(crate) fn start(
        mut connection: AuthConnection,
        channels: Vec<String>,
        least: u64,
        pause: Option<Duration>,
        same: bool,
    ) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&enough);
        let task = tokio::spawn(async move {
            let mut published: Published = channels.into_iter().map(|it| (it, 0)).collect();
            let mut total = 0;
            while total < least || !stop.load(Ordering::SeqCst) {
                let mut batch = pipe();
                for (channel, count) in &mut published {
                    let payload = if same {
                        "same".to_owned()
                    } else {
                        count.to_string()
                    };
                    batch.publish(channel, payload).ignore();
                    *count += 1;
                    total += 1;
                }
                () = batch.query_async(&mut connection).await.unwrap();
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
            }
            published
        });
        Self { enough, task }
    }

    /// Lets it end once it has published its least, and says what it has.
    pub(crate) async fn stop(self) -> Published {
        self.enough.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}

/// A pattern, and which channels it matches.
pub(crate) type Pattern = (&'static str, fn(&str) -> bool);

/// What has arrived, by pattern and channel.
#[derive(Debug, Default)]
pub(crate) struct Arrived(BTreeMap<(Option<String>, String), u64>);

impl Arrived {
    /// Takes note of a message: its number is the next of its channel.
    pub(crate) fn note(&mut self, message: &Msg) {
        let pattern: Option<String> = message.get_pattern().unwrap();
        let channel = message.get_channel_name().to_owned();
        let count = self.0.entry((pattern, channel)).or_default();
        let payload: String = message.get_payload().unwrap();
        if payload != "same" {
            assert_eq!(payload, count.to_string(), "{message:?}");
        }
        *count += 1;
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// All of the channels' messages came, once for each subscription.
    pub(crate) fn assert_all(&self, published: &Published, patterns: &[Pattern]) {
        let mut expected = BTreeMap::new();
        for (channel, count) in published {
            expected.insert((None, channel.clone()), *count);
            for (pattern, matches) in patterns {
                if matches(channel) {
                    expected.insert((Some((*pattern).to_owned()), channel.clone()), *count);
                }
            }
        }
        assert_eq!(self.0, expected);
    }
}

/// Reads until as many have come as were published, and a last one that only
/// comes after those.
pub(crate) async fn collect(mut messages: AuthPubSub, end: &str) -> (AuthPubSub, Arrived) {
    let mut arrived = Arrived::default();
    loop {
        let message = next(&mut messages).await;
        if message.get_channel_name() == end {
            return (messages, arrived);
        }
        arrived.note(&message);
    }
}
