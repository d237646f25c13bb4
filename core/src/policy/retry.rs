use std::fmt;
use std::time::Duration;

use crate::ProviderError;

/// Decides what follows a failed attempt.
///
/// A pure function: everything it may depend on is in the context, the one
/// random sample included, so that a replay with the same seed is exact.
/// [`ExponentialBackoff`](crate::ExponentialBackoff) is the one built in.
pub trait RetryPolicy: fmt::Debug + Send + Sync + 'static {
    /// What follows the failure that `context` describes. A server's
    /// `Retry-After` lengthens the delay that is returned; a delay below 1 ms
    /// is taken as 1 ms, and a panic as [`CoolDown`](RetryDecision::CoolDown).
    fn on_failure(&self, context: &RetryContext<'_>) -> RetryDecision;
}

const _: fn(&dyn RetryPolicy) = |_| ();

/// A failed attempt, as a [`RetryPolicy`] sees it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RetryContext<'a> {
    /// Attempts of this cycle, the failed one included: 1 for the first. A cycle
    /// lasts until a request succeeds.
    pub attempt: u32,
    /// Time since the cycle's first attempt began.
    pub elapsed: Duration,
    /// The error of the failed attempt.
    pub error: &'a ProviderError,
    /// A random number in `[0, 1)`, one per failure.
    pub sample: f64,
}

impl<'a> RetryContext<'a> {
    /// A context for the test of a policy.
    #[must_use]
    pub const fn new(
        attempt: u32,
        elapsed: Duration,
        error: &'a ProviderError,
        sample: f64,
    ) -> Self {
        Self {
            attempt,
            elapsed,
            error,
            sample,
        }
    }
}

/// What follows a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RetryDecision {
    /// The retries are used up. From now on the
    /// [`RefreshPolicy`](crate::RefreshPolicy) sets the waits, one attempt each;
    /// the policy is asked after every further failure and may return to
    /// `RetryAfter`.
    CoolDown,
    /// Retrying can't help until a person has fixed something: attempts slow
    /// down to one per
    /// [`fatal_cool_down`](crate::RefreshPolicyBuilder::fatal_cool_down).
    Fatal,
    /// Try again after this long.
    RetryAfter(Duration),
}
