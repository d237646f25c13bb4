use std::time::Instant;

use super::RequestId;
use crate::Moment;

/// What the machine is doing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Phase {
    /// Holds a token that never expires, or has given up: only a refresh or a
    /// stop changes that.
    Idle,
    Requesting {
        id: RequestId,
        started: Instant,
        deadline: Instant,
    },
    Stopped,
    Waiting {
        until: Instant,
        wait: Wait,
    },
}

/// What a wait leads to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wait {
    /// An attempt after a fatal error.
    Fatal,
    /// An attempt after a cycle that failed.
    Outage {
        /// When it is made if a token is needed.
        if_needed: Instant,
    },
    /// The first attempt of a cycle.
    Renewal,
    /// The cycle's next attempt.
    Retry,
}

impl Phase {
    pub(super) const fn waiting(until: Instant, wait: Wait) -> Self {
        Self::Waiting { until, wait }
    }

    pub(super) const fn deadline(&self) -> Option<Instant> {
        match *self {
            Self::Idle | Self::Stopped => None,
            Self::Requesting { deadline, .. } => Some(deadline),
            Self::Waiting { until, .. } => Some(until),
        }
    }
}

/// The token in use.
#[derive(Clone, Debug)]
pub(super) struct Held<T> {
    pub(super) value: T,
    pub(super) end: Option<Moment>,
}

impl<T> Held<T> {
    pub(super) fn is_over(&self, now: Moment) -> bool {
        self.end.is_some_and(|end| end.time_left(now).is_zero())
    }
}
