//! Messages that are numbered in each channel, and what of them arrives.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::pipe;
use redis_authx_redis::AuthConnection;
use tokio::task::JoinHandle;

/// A payload without a number.
const SAME: &str = "same";

/// How many messages went to each channel.
pub type Published = BTreeMap<String, u64>;

/// Publishes to channels in turn until it is stopped.
#[derive(Debug)]
pub struct Publisher {
    enough: Arc<AtomicBool>,
    task: JoinHandle<Published>,
}

impl Publisher {
    /// Publishes at least `least` messages: numbers, or always the same text.
    pub fn start(
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
                        SAME.to_owned()
                    } else {
                        count.to_string()
                    };
                    batch.publish(channel, payload).ignore();
                    *count += 1;
                    total += 1;
                }
                let sent = batch.query_async(&mut connection).await;
                let () = sent.expect("the batch is published");
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
            }
            published
        });
        Self { enough, task }
    }

    /// Lets it end once it has published its least, and says what it has.
    ///
    /// # Panics
    /// When something was not published.
    pub async fn stop(self) -> Published {
        self.enough.store(true, Ordering::SeqCst);
        self.task.await.expect("no panic")
    }
}

/// A pattern, and which channels it matches.
pub type Pattern = (&'static str, fn(&str) -> bool);

/// What they match among [`channels`].
pub const PATTERNS: [Pattern; 3] = [
    ("c:*", |_| true),
    ("c:1*", |channel| channel.starts_with("c:1")),
    ("c:?", |channel| channel.len() == 3),
];

/// `c:0` to `c:19`.
#[must_use]
pub fn channels() -> Vec<String> {
    (0..20).map(|number| format!("c:{number}")).collect()
}

/// What has arrived: of each channel by each pattern, and without one.
#[derive(Debug, Default)]
pub struct Arrived(BTreeMap<(Option<String>, String), u64>);

impl Arrived {
    /// Takes note of a message: its number is the next of its channel.
    ///
    /// # Panics
    /// When it is another.
    pub fn note(&mut self, pattern: Option<&str>, channel: &str, payload: &str) {
        self.note_copy(pattern, channel, payload, 1);
    }

    /// Takes note of a message by some pattern, of a client that does not say by
    /// which: each number comes once for each of those that match.
    ///
    /// # Panics
    /// When it is another.
    pub fn note_by_some(&mut self, patterns: &[Pattern], channel: &str, payload: &str) {
        self.note_copy(Some("some"), channel, payload, matching(patterns, channel));
    }

    fn note_copy(&mut self, pattern: Option<&str>, channel: &str, payload: &str, copies: u64) {
        let key = (pattern.map(str::to_owned), channel.to_owned());
        let count = self.0.entry(key).or_default();
        if payload != SAME {
            let expected = (*count / copies).to_string();
            assert_eq!(payload, expected, "on {channel} by {pattern:?}");
        }
        *count += 1;
    }

    /// How many have come.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// All of the channels' messages came, once for each subscription.
    ///
    /// # Panics
    /// When they did not.
    pub fn assert_all(&self, published: &Published, patterns: &[Pattern]) {
        let mut expected = direct(published);
        for (channel, count) in published {
            for (pattern, _) in patterns.iter().filter(|(_, matches)| matches(channel)) {
                expected.insert((Some((*pattern).to_owned()), channel.clone()), *count);
            }
        }
        assert_eq!(self.0, expected);
    }

    /// The same, of a client that does not say by which pattern.
    ///
    /// # Panics
    /// When they did not.
    pub fn assert_all_by_some(&self, published: &Published, patterns: &[Pattern]) {
        let mut expected = direct(published);
        for (channel, count) in published {
            let copies = matching(patterns, channel);
            if copies > 0 {
                expected.insert((Some("some".to_owned()), channel.clone()), copies * count);
            }
        }
        assert_eq!(self.0, expected);
    }
}

fn direct(published: &Published) -> BTreeMap<(Option<String>, String), u64> {
    let channels = published.iter();
    channels
        .map(|(channel, count)| ((None, channel.clone()), *count))
        .collect()
}

fn matching(patterns: &[Pattern], channel: &str) -> u64 {
    let matching = patterns.iter().filter(|(_, matches)| matches(channel));
    matching.count().try_into().unwrap_or(u64::MAX)
}
