use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Kind, Subscriptions};

/// A connection that subscribes, as an adapter has it: what is sent on it.
#[async_trait]
pub trait Link: Send + Sync + 'static {
    /// The client's error.
    type Error: Send + 'static;

    /// What is known of it.
    fn health(&self) -> &Health;

    /// Subscribes. Answered when the server has answered.
    async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Self::Error>;

    /// Unsubscribes. Sent when it is polled for the first time.
    async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Self::Error>;

    /// Answered when all that was published before is in the [`Feed`].
    async fn ping(&self) -> Result<(), Self::Error>;

    /// Subscribes to everything.
    async fn subscribe_all(&self, subscriptions: &Subscriptions) -> Result<(), Self::Error> {
        for kind in Kind::ALL {
            let names: Vec<_> = subscriptions.names(kind).iter().cloned().collect();
            if !names.is_empty() {
                self.subscribe(kind, &names).await?;
            }
        }
        Ok(())
    }

    /// Whether the server answered, with an error.
    fn is_refused(error: &Self::Error) -> bool;

    /// That a connection is gone.
    fn closed() -> Self::Error;
}

/// The messages of one connection, which waits for nobody to read them.
pub trait Feed: Send + Unpin + 'static {
    /// A message.
    type Message: Send + 'static;

    /// The next message; `None` when the connection is gone.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Message>>;

    /// The channel of a message, and the kind of subscription that it came by.
    fn origin(message: &Self::Message) -> (Kind, &[u8]);
}

/// Where a subscriber's messages go. Nothing of it may wait.
pub trait Outlet<M>: Send + 'static {
    /// The application gets a message.
    fn deliver(&self, message: M);

    /// Something may be missing here.
    fn gap(&self);

    /// The connection in place is gone: it is to be replaced.
    fn lost(&self);

    /// There will be no more messages.
    fn end(&self);
}

/// What is known of a connection.
#[derive(Debug, Default)]
pub struct Health {
    lost: AtomicBool,
    /// Since when it owes an answer to who wants to replace it.
    asked: Mutex<Option<Instant>>,
}

impl Health {
    /// Whether it is lost.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// It is lost; whether that is news.
    pub fn lose(&self) -> bool {
        !self.lost.swap(true, Ordering::AcqRel)
    }

    /// Whether it has owed an answer for so long.
    pub(super) fn is_silent(&self, now: Instant, limit: Duration) -> bool {
        self.owes()
            .is_some_and(|since| now.saturating_duration_since(since) >= limit)
    }

    pub(super) fn asked(&self, now: Instant) {
        self.owes().get_or_insert(now);
    }

    pub(super) fn answered(&self) {
        *self.owes() = None;
    }

    fn owes(&self) -> MutexGuard<'_, Option<Instant>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
