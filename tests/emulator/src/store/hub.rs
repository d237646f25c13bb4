//! Who subscribes to what, and the handing out of messages.

use std::collections::{HashMap, HashSet};

use tokio::sync::mpsc;

use super::glob;

/// A subscriber this far behind is cut off, as Redis does by its output buffer
/// limit for pub/sub.
const MOST_UNREAD: usize = 10_000;

/// One published message on its way to one subscriber.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The pattern that the channel fits, for `PSUBSCRIBE`.
    pub(crate) pattern: Option<Vec<u8>>,
    pub(crate) channel: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Hub {
    subscribers: HashMap<u64, mpsc::Sender<Message>>,
    channels: HashMap<Vec<u8>, HashSet<u64>>,
    patterns: HashMap<Vec<u8>, HashSet<u64>>,
}

/// Which of the two ways to subscribe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Channel,
    Pattern,
}

impl Hub {
    pub(crate) fn join(&mut self, session: u64) -> mpsc::Receiver<Message> {
        let (sender, receiver) = mpsc::channel(MOST_UNREAD);
        self.subscribers.insert(session, sender);
        receiver
    }

    pub(crate) fn leave(&mut self, session: u64) {
        self.subscribers.remove(&session);
        for subscriptions in [&mut self.channels, &mut self.patterns] {
            subscriptions.retain(|_, sessions| {
                sessions.remove(&session);
                !sessions.is_empty()
            });
        }
    }

    pub(crate) fn subscribe(&mut self, session: u64, way: Way, name: &[u8]) {
        self.of(way)
            .entry(name.to_vec())
            .or_default()
            .insert(session);
    }

    pub(crate) fn unsubscribe(&mut self, session: u64, way: Way, name: &[u8]) {
        let subscriptions = self.of(way);
        if let Some(sessions) = subscriptions.get_mut(name) {
            sessions.remove(&session);
            if sessions.is_empty() {
                subscriptions.remove(name);
            }
        }
    }

    /// How many times it was handed out.
    pub(crate) fn publish(&mut self, channel: &[u8], payload: &[u8]) -> usize {
        let mut to = Vec::new();
        if let Some(sessions) = self.channels.get(channel) {
            to.extend(sessions.iter().map(|&session| (session, None)));
        }
        for (pattern, sessions) in &self.patterns {
            if glob::matches(pattern, channel) {
                to.extend(
                    sessions
                        .iter()
                        .map(|&session| (session, Some(pattern.clone()))),
                );
            }
        }
        let mut reached = 0;
        for (session, pattern) in to {
            let message = Message {
                pattern,
                channel: channel.to_vec(),
                payload: payload.to_vec(),
            };
            let Some(subscriber) = self.subscribers.get(&session) else {
                continue;
            };
            if subscriber.try_send(message).is_ok() {
                reached += 1;
            } else {
                // Its receiver sees the end, and the connection is closed.
                self.subscribers.remove(&session);
            }
        }
        reached
    }

    fn of(&mut self, way: Way) -> &mut HashMap<Vec<u8>, HashSet<u64>> {
        match way {
            Way::Channel => &mut self.channels,
            Way::Pattern => &mut self.patterns,
        }
    }
}
