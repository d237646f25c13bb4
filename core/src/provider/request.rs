use std::time::{Duration, Instant};

use crate::Clock;
use crate::machine::RequestId;

/// One request for a token: what an
/// [`IdentityProvider`](super::IdentityProvider) is told about it.
#[derive(Clone, Copy, Debug)]
pub struct TokenRequest<'a> {
    attempt: u32,
    deadline: Instant,
    reason: RequestReason,
    clock: &'a dyn Clock,
}

/// Why a token is requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestReason {
    /// The application or a client adapter asked for a
    /// [`refresh`](crate::TokenManager::refresh).
    Asked,
    /// There has been no token yet.
    First,
    /// A Redis server refused the token of this generation, which has not
    /// expired. A provider with a cache should bypass it.
    Refused {
        /// The generation of the token.
        generation: u64,
    },
    /// The schedule.
    Renewal,
}

impl<'a> TokenRequest<'a> {
    /// The first attempt of a [`First`](RequestReason::First) request, to be
    /// answered within `limit`: for the test of a provider.
    #[must_use]
    pub fn new(clock: &'a dyn Clock, limit: Duration) -> Self {
        Self {
            attempt: 1,
            deadline: clock.now() + limit.min(crate::policy::FAR),
            reason: RequestReason::First,
            clock,
        }
    }

    pub(crate) const fn of(id: RequestId, clock: &'a dyn Clock) -> Self {
        Self {
            attempt: id.attempt(),
            deadline: id.deadline(),
            reason: id.reason(),
            clock,
        }
    }

    /// The same request with another reason.
    #[must_use]
    pub const fn with_reason(mut self, reason: RequestReason) -> Self {
        self.reason = reason;
        self
    }

    /// The same request as this attempt of its cycle.
    #[must_use]
    pub const fn with_attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// The same request with an earlier deadline: for a provider that asks
    /// others. A later one is ignored.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = self.deadline.min(deadline);
        self
    }

    /// The number of the attempt, counted from 1; a success starts over.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When the manager drops the request, by the
    /// [`clock`](Self::clock)'s monotonic time.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The time left until the [`deadline`](Self::deadline).
    #[must_use]
    pub fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(self.clock.now())
    }

    /// Why the token is requested.
    #[must_use]
    pub const fn reason(&self) -> RequestReason {
        self.reason
    }

    /// The manager's clock: for waits and time limits of the provider's own.
    #[must_use]
    pub const fn clock(&self) -> &'a dyn Clock {
        self.clock
    }
}
