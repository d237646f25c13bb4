use std::time::Instant;

use super::RequestId;

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
    /// A new cycle after one that failed.
    CoolDown { fatal: bool },
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
    pub(super) expires: Option<Instant>,
}

impl<T> Held<T> {
    pub(super) fn is_over(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}
