//! When a token is renewed, and what happens when that fails.

mod backoff;
mod builder;
mod ratio;
mod retry;

use std::time::Duration;

pub use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
pub use builder::RefreshPolicyBuilder;
pub use retry::{RetryContext, RetryDecision, RetryPolicy};

use ratio::Ratio;

/// No schedule reaches further than this, whatever a server says: ten years.
/// Keeps every sum of an instant and a duration in range.
pub(crate) const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The longest that a server's `Retry-After` is obeyed: one hour, so that a
/// mistaken header can't end renewal for good.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

const DEFAULT_RATIO: f64 = 0.75;

/// What happens when a cycle of attempts has used up its retries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnExhausted {
    /// Wait for the cool-down and begin another cycle, for as long as it
    /// takes. The default.
    #[default]
    CoolDown,
    /// Give up: no more requests until
    /// [`refresh`](crate::TokenManager::refresh) is called. A token in hand
    /// stays in use until it expires.
    Stop,
}

/// When a token is renewed, and the time limits around it.
///
/// ```
/// use std::time::Duration;
/// use redis_authx::RefreshPolicy;
///
/// let policy = RefreshPolicy::builder().expiration_refresh_ratio(0.8).build()?;
/// let hour = Duration::from_secs(3600);
/// assert_eq!(policy.refresh_after(hour), Duration::from_secs(2880));
/// # Ok::<(), redis_authx::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RefreshPolicy {
    ratio: Ratio,
    lower_bound: Duration,
    min_interval: Duration,
    refresh_jitter: f64,
    request_timeout: Duration,
    cool_down: Duration,
    fatal_cool_down: Duration,
    on_exhausted: OnExhausted,
}

impl RefreshPolicy {
    /// A builder that holds the defaults; each method's page names its own.
    #[must_use]
    pub fn builder() -> RefreshPolicyBuilder {
        RefreshPolicyBuilder::default()
    }

    /// How long after its arrival a token of this lifetime is renewed, before
    /// jitter: the ratio's share of the lifetime in whole milliseconds, or
    /// `lifetime − lower_bound` where that is sooner. A lower bound that is
    /// not below the lifetime is left out.
    #[must_use]
    pub fn refresh_after(&self, lifetime: Duration) -> Duration {
        let lifetime = lifetime.min(FAR);
        let by_ratio = self.ratio.of(lifetime);
        match lifetime.checked_sub(self.lower_bound) {
            Some(by_bound) if !by_bound.is_zero() => by_ratio.min(by_bound),
            _ => by_ratio,
        }
    }

    /// [`refresh_after`](Self::refresh_after), moved earlier by `sample` (0 to
    /// 1) of the jitter and kept the minimum interval away.
    pub(crate) fn refresh_wait(&self, lifetime: Duration, sample: f64) -> Duration {
        let wait = self.refresh_after(lifetime);
        let early = wait.mul_f64((self.refresh_jitter * sample).clamp(0.0, 1.0));
        wait.saturating_sub(early).max(self.min_interval)
    }

    /// How long to wait before asking again when the identity service answered
    /// with the token that is already held: a quarter of the time left.
    pub(crate) fn unchanged_wait(&self, time_left: Duration) -> Duration {
        (time_left.min(FAR) / 4).max(self.min_interval)
    }

    /// The wait after a cycle that failed, spread by a fifth to both sides.
    pub(crate) fn cool_down(&self, fatal: bool, sample: f64) -> Duration {
        let base = if fatal {
            self.fatal_cool_down
        } else {
            self.cool_down
        };
        base.mul_f64(0.4f64.mul_add(sample.clamp(0.0, 1.0), 0.8))
    }

    pub(crate) const fn min_interval(&self) -> Duration {
        self.min_interval
    }

    pub(crate) const fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    pub(crate) const fn on_exhausted(&self) -> OnExhausted {
        self.on_exhausted
    }
}

/// See the settings of [`RefreshPolicyBuilder`] for the values.
impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            ratio: Ratio::new(DEFAULT_RATIO).unwrap_or(Ratio::ZERO),
            lower_bound: Duration::from_secs(180),
            min_interval: Duration::from_secs(1),
            refresh_jitter: 0.05,
            request_timeout: Duration::from_secs(10),
            cool_down: Duration::from_secs(30),
            fatal_cool_down: Duration::from_secs(300),
            on_exhausted: OnExhausted::CoolDown,
        }
    }
}
