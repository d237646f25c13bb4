use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Kind, Subscriptions};

/// The most names that adapters put into one command, so that it does not hold up a
/// server.
pub const NAMES_PER_COMMAND: usize = 1000;

/// Sends commands on one connection of a subscriber. Adapters implement it.
///
/// The methods have no time limits of their own; callers set them.
#[async_trait]
pub trait Link: Send + Sync + 'static {
    /// The client's error.
    type Error: Send + 'static;

    /// The state of the connection.
    fn health(&self) -> &Health;

    /// Whether the connection can send `AUTH` and other commands while it is
    /// subscribed, as over RESP3.
    fn takes_commands(&self) -> bool;

    /// Whether the connection supports subscriptions of this kind. Default: it does.
    fn supports(&self, _kind: Kind) -> bool {
        true
    }

    /// Subscribes, and completes when the server has confirmed.
    ///
    /// # Errors
    /// The client's own.
    ///
    /// # Cancel safety
    /// Once it has been polled, the server may subscribe the connection although
    /// the future was dropped.
    async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Self::Error>;

    /// Unsubscribes. The first poll must send the command: a handover polls this
    /// once and does not wait for the reply.
    ///
    /// # Errors
    /// The client's own.
    ///
    /// # Cancel safety
    /// Once it has been polled, the server may unsubscribe the connection although
    /// the future was dropped.
    async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Self::Error>;

    /// Sends a `PING`. When this completes, every message that the server sent
    /// before its reply is in the [`Feed`].
    ///
    /// # Errors
    /// The client's own.
    ///
    /// # Cancel safety
    /// Must be cancel safe.
    async fn ping(&self) -> Result<(), Self::Error>;

    /// Subscribes to all of `subscriptions`, one kind after the other.
    ///
    /// # Errors
    /// That of the first [`subscribe`](Self::subscribe) that fails.
    ///
    /// # Cancel safety
    /// As [`subscribe`](Self::subscribe).
    async fn subscribe_all(&self, subscriptions: &Subscriptions) -> Result<(), Self::Error> {
        for kind in Kind::ALL {
            let names: Vec<_> = subscriptions.names(kind).iter().cloned().collect();
            if !names.is_empty() {
                self.subscribe(kind, &names).await?;
            }
        }
        Ok(())
    }

    /// Whether the error is a reply from the server, as opposed to a failure of
    /// the connection.
    fn is_error_reply(error: &Self::Error) -> bool;

    /// The error that means "connection closed".
    fn closed_error() -> Self::Error;
}

/// The messages that arrive on one connection.
///
/// The client continues to read from the socket while the feed is not polled: a
/// handover leaves the new connection's feed unread until it needs it.
pub trait Feed: Send + Unpin + 'static {
    /// A message.
    type Message: Send + 'static;

    /// Returns the next message; `None` when the connection is closed and all its
    /// messages have been returned.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Message>>;

    /// The channel of a message, and the kind of the subscription that it matched.
    fn origin(message: &Self::Message) -> (Kind, &[u8]);
}

/// Receives a subscriber's messages, in order. Implementations must not block.
pub trait Outlet<M>: Send + 'static {
    /// Passes a message to the application.
    fn deliver(&self, message: M);

    /// Reports that messages may be missing between the last one and the next.
    fn gap(&self);

    /// Reports that the active connection is lost and needs a replacement. Called
    /// at most once per connection, and not if it was [marked](Health::mark_lost)
    /// lost before. Default: nothing, as a [`Subscriber`](crate::Subscriber) has it
    /// replaced.
    fn lost(&self) {}

    /// Reports that no more messages follow. The last call.
    fn end(&self);
}

/// The state of one connection: whether it is lost, and whether it owes a reply.
#[derive(Debug, Default)]
pub struct Health {
    lost: AtomicBool,
    /// When a handover sent the oldest command without a reply.
    reply_due_since: Mutex<Option<Instant>>,
}

impl Health {
    /// Whether the connection is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Marks the connection lost; returns `true` the first time.
    pub fn mark_lost(&self) -> bool {
        !self.lost.swap(true, Ordering::AcqRel)
    }

    /// Whether a reply has been outstanding for at least `limit`.
    pub(super) fn is_silent(&self, now: Instant, limit: Duration) -> bool {
        self.reply_due_since()
            .is_some_and(|since| now.saturating_duration_since(since) >= limit)
    }

    /// Notes that a handover has sent a command. An older one without a reply
    /// counts instead.
    pub(super) fn command_sent(&self, now: Instant) {
        self.reply_due_since().get_or_insert(now);
    }

    /// Notes that no reply is outstanding.
    pub(super) fn reply_received(&self) {
        *self.reply_due_since() = None;
    }

    fn reply_due_since(&self) -> MutexGuard<'_, Option<Instant>> {
        self.reply_due_since
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
