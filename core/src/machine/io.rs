use std::time::{Duration, Instant};

use crate::{Event, Moment, ProviderError, RequestReason};

/// Identifies one request, and says what the provider is told about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestId {
    pub(super) number: u64,
    pub(super) attempt: u32,
    pub(super) reason: RequestReason,
    pub(super) deadline: Instant,
}

impl RequestId {
    /// The number of the request since the start, counted from 1.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }

    /// The number of the attempt within its cycle, counted from 1: the one that
    /// [`AttemptFailed`](Event::AttemptFailed) reports if it fails.
    #[must_use]
    pub const fn attempt(self) -> u32 {
        self.attempt
    }

    /// Why the request is made.
    #[must_use]
    pub const fn reason(self) -> RequestReason {
        self.reason
    }

    /// When it is cancelled.
    #[must_use]
    pub const fn deadline(self) -> Instant {
        self.deadline
    }
}

/// What happened, for a [`Machine`](super::Machine).
#[derive(Debug)]
#[non_exhaustive]
pub enum Input<T> {
    /// A request has ended. An answer to one that is not open is ignored.
    Completed {
        /// The request.
        id: RequestId,
        /// A token, or the error.
        result: Result<Lease<T>, ProviderError>,
    },
    /// Whether a reader or a lost connection needs a token. Attempts in an
    /// outage are made more often while one does.
    Needed(bool),
    /// Make an attempt now, or as soon as the minimum interval and a server's
    /// `Retry-After` allow.
    Refresh(RequestReason),
    /// Stop for good.
    Stop,
    /// [`poll_timeout`](super::Machine::poll_timeout) has passed.
    Timeout,
}

/// What a [`Machine`](super::Machine) asks its driver to do.
#[derive(Debug)]
#[non_exhaustive]
#[must_use]
pub enum Output<T> {
    /// Drop the request: its answer no longer counts.
    Cancel(RequestId),
    /// Publish this to every reader.
    Publish(Snapshot<T>),
    /// Report this to the observers.
    Report(Event),
    /// Request a token from the provider.
    Request(RequestId),
}

/// A token as it was received, and until when it is valid.
#[derive(Debug)]
#[non_exhaustive]
pub struct Lease<T> {
    /// The token.
    pub value: T,
    /// When it ends; `None` for one that never expires.
    pub end: Option<Moment>,
    /// When the next one is requested at the latest, counted from now.
    pub refresh_in: Option<Duration>,
    /// Whether it is the very token that is already held.
    pub unchanged: bool,
}

impl<T> Lease<T> {
    /// A new token.
    pub const fn new(value: T, end: Option<Moment>) -> Self {
        Self {
            value,
            end,
            refresh_in: None,
            unchanged: false,
        }
    }

    /// Whether the token has ended.
    pub(crate) fn is_over(&self, now: Moment) -> bool {
        self.end.is_some_and(|end| end.time_left(now).is_zero())
    }

    /// Has the next token requested after `wait` at the latest.
    #[must_use]
    pub const fn refresh_in(mut self, wait: Option<Duration>) -> Self {
        self.refresh_in = wait;
        self
    }

    /// Marks it as the very token that is already held: no rotation.
    #[must_use]
    pub const fn unchanged(mut self, unchanged: bool) -> Self {
        self.unchanged = unchanged;
        self
    }
}

/// Whether waiting for a token can help while there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outlook {
    /// A person has to fix something; attempts are rare.
    Fatal,
    /// No further attempt is made until a refresh is asked for.
    GivenUp,
    /// Attempts go on.
    Retrying,
}

/// What readers see: always the latest value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Snapshot<T> {
    /// No token yet, and no cycle of attempts has failed.
    Pending,
    /// The manager has stopped.
    Stopped,
    /// No valid token.
    #[non_exhaustive]
    Unavailable {
        /// The latest failure.
        error: ProviderError,
        /// Whether waiting can help.
        outlook: Outlook,
    },
    /// A valid token.
    Valid {
        /// The token.
        value: T,
        /// Which rotation brought it, counted from 1.
        generation: u64,
    },
}
