use std::time::Duration;

use crate::{Event, ProviderError};

/// Names one request, so that an answer to a cancelled one is told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    pub(super) number: u64,
    pub(super) attempt: u32,
}

impl RequestId {
    /// Which attempt of its cycle it is, counted from 1: the number with which
    /// [`AttemptFailed`](Event::AttemptFailed) tells of it if it fails.
    #[must_use]
    pub const fn attempt(self) -> u32 {
        self.attempt
    }
}

/// What happened, told to a [`Machine`](super::Machine).
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<T> {
    /// A request has ended. An answer to one that is not open is ignored.
    Completed {
        /// The request it answers.
        id: RequestId,
        /// A token, or why there is none.
        result: Result<Lease<T>, ProviderError>,
    },
    /// The wall clock has run ahead of the monotonic one, after a suspend or
    /// because it was set: tokens end that much sooner. A step back needs no
    /// input: a token's life is never extended by a clock.
    ClockStepped {
        /// By how much.
        forward: Duration,
    },
    /// Begin a cycle now, or as soon as the minimum interval and a server's
    /// `Retry-After` allow; in the middle of one, hurry its next attempt.
    Refresh,
    /// Stop for good.
    Stop,
    /// The time of [`poll_timeout`](super::Machine::poll_timeout) has come.
    Timeout,
}

/// What to do, told by a [`Machine`](super::Machine).
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub enum Output<T> {
    /// Drop the request: its answer no longer counts.
    Cancel(RequestId),
    /// Show this to every reader.
    Publish(Snapshot<T>),
    /// Tell the observers.
    Report(Event),
    /// Ask the provider for a token.
    Request(RequestId),
}

/// A token that came, and how long it lives from now.
#[derive(Debug)]
#[non_exhaustive]
pub struct Lease<T> {
    /// The token.
    pub value: T,
    /// What is left of its life: `None` for one that never expires, zero for
    /// one that has.
    pub lifetime: Option<Duration>,
    /// Whether it is the very token that is already held.
    pub unchanged: bool,
}

impl<T> Lease<T> {
    /// A new token.
    pub const fn new(value: T, lifetime: Option<Duration>) -> Self {
        Self {
            value,
            lifetime,
            unchanged: false,
        }
    }

    /// Whether the token had ended when it came.
    pub(crate) fn is_over(&self) -> bool {
        self.lifetime.is_some_and(|life| life.is_zero())
    }

    /// Marks it as the very token that is already held: no rotation.
    #[must_use]
    pub fn unchanged(mut self, unchanged: bool) -> Self {
        self.unchanged = unchanged;
        self
    }
}

/// What readers see: always the latest, nothing in between.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Snapshot<T> {
    /// No token yet, and none of the requests has failed for good.
    Pending,
    /// The manager has stopped.
    Stopped,
    /// No valid token, and why.
    Unavailable(ProviderError),
    /// A valid token.
    Valid {
        /// The token.
        value: T,
        /// Which rotation brought it, counted from 1.
        generation: u64,
    },
}

impl<T> Snapshot<T> {
    pub(crate) fn map<U>(self, with: impl FnOnce(T) -> U) -> Snapshot<U> {
        match self {
            Self::Pending => Snapshot::Pending,
            Self::Stopped => Snapshot::Stopped,
            Self::Unavailable(error) => Snapshot::Unavailable(error),
            Self::Valid { value, generation } => Snapshot::Valid {
                value: with(value),
                generation,
            },
        }
    }
}
