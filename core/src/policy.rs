//! When a token is renewed, and what happens when that fails.

mod backoff;
mod builder;
mod retry;

use std::time::Duration;

pub use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};
pub use builder::RefreshPolicyBuilder;
pub use retry::{RetryContext, RetryDecision, RetryPolicy};

/// Upper bound of every scheduled wait: ten years. Keeps sums of instants and
/// durations in range, whatever a server says.
pub(crate) const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The longest that a server's `Retry-After` is obeyed: one hour, so that a
/// mistaken header can't end renewal for good.
pub(crate) const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Of two waits during an outage, the longer one applies while no one needs a
/// token: it may reach this many times `cool_down`.
const UNHURRIED: u32 = 4;

/// The wait after the first fatal failure; each further one triples it.
const FIRST_FATAL_WAIT: Duration = Duration::from_secs(5);

/// What follows a cycle of attempts that has used up its retries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnExhausted {
    /// Make one attempt per wait until one succeeds. The default.
    #[default]
    CoolDown,
    /// Make no more requests until
    /// [`refresh`](crate::TokenManager::refresh) is called. A valid token stays
    /// in use until it expires.
    WaitForRefresh,
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
    ratio: f64,
    min_time_left: Duration,
    min_refresh_interval: Duration,
    refresh_jitter: f64,
    request_timeout: Duration,
    cool_down: Duration,
    fatal_cool_down: Duration,
    on_exhausted: OnExhausted,
}

impl RefreshPolicy {
    /// A builder with the defaults, which its methods name.
    #[must_use]
    pub fn builder() -> RefreshPolicyBuilder {
        RefreshPolicyBuilder::default()
    }

    /// How long after its arrival a token of this lifetime is renewed, before
    /// jitter: `lifetime × ratio` in whole milliseconds, or
    /// `lifetime − min_time_left` where that is sooner, but not before half of the
    /// lifetime. A lower bound that is not below the lifetime is left out.
    #[must_use]
    pub fn refresh_after(&self, lifetime: Duration) -> Duration {
        let lifetime = lifetime.min(FAR);
        let by_ratio = whole_millis(in_millis(lifetime) * self.ratio).min(lifetime);
        match lifetime.checked_sub(self.min_time_left) {
            Some(by_bound) if !by_bound.is_zero() => by_ratio.min(by_bound.max(lifetime / 2)),
            _ => by_ratio,
        }
    }

    /// [`refresh_after`](Self::refresh_after), moved earlier by `sample` (0 to
    /// 1) of the jitter and kept the minimum interval away.
    pub(crate) fn refresh_wait(&self, lifetime: Duration, sample: f64) -> Duration {
        let wait = self.refresh_after(lifetime);
        let early = wait.mul_f64((self.refresh_jitter * sample).clamp(0.0, 1.0));
        wait.saturating_sub(early).max(self.min_refresh_interval)
    }

    /// The wait after the identity service has answered with the token that is
    /// already held: a quarter of the time left.
    pub(crate) fn unchanged_wait(&self, time_left: Duration) -> Duration {
        (time_left.min(FAR) / 4).max(self.min_refresh_interval)
    }

    /// The wait before the next attempt while a valid token is held: an eighth
    /// of the time left. A wait that would pass the expiry ends shortly after it.
    pub(crate) fn wait_with_token(&self, time_left: Option<Duration>, sample: f64) -> Duration {
        let most = self.cool_down * UNHURRIED;
        let Some(left) = time_left else {
            return spread(most, 0.75, 1.25, sample);
        };
        let least = Duration::from_secs(2).min(most);
        let wait = spread((left / 8).clamp(least, most), 0.75, 1.25, sample);
        if wait > left {
            left + spread(least, 0.0, 1.0, sample)
        } else {
            wait
        }
    }

    /// The wait before the next attempt without a valid token: an eighth of the
    /// downtime, so that an outage is prolonged by no more than that.
    pub(crate) fn wait_without_token(&self, down: Duration, hurry: bool, sample: f64) -> Duration {
        let factor = if hurry { 1 } else { UNHURRIED };
        let least = Duration::from_secs(1).min(self.cool_down);
        let wait = (down / 8).clamp(least, self.cool_down * factor);
        spread(wait, 0.5, 1.0, sample)
    }

    /// The wait after the fatal failure number `failures`, counted from 1.
    pub(crate) fn fatal_wait(&self, failures: u32, sample: f64) -> Duration {
        let tripled = 3u32.saturating_pow(failures.saturating_sub(1));
        let wait = FIRST_FATAL_WAIT.saturating_mul(tripled);
        spread(wait.min(self.fatal_cool_down), 0.8, 1.2, sample)
    }

    pub(crate) const fn min_refresh_interval(&self) -> Duration {
        self.min_refresh_interval
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
            ratio: 0.75,
            min_time_left: Duration::from_secs(180),
            min_refresh_interval: Duration::from_secs(1),
            refresh_jitter: 0.05,
            request_timeout: Duration::from_secs(10),
            cool_down: Duration::from_secs(15),
            fatal_cool_down: Duration::from_secs(300),
            on_exhausted: OnExhausted::CoolDown,
        }
    }
}

/// `wait` times a factor between `low` and `high`, chosen by `sample` (0 to 1).
fn spread(wait: Duration, low: f64, high: f64, sample: f64) -> Duration {
    wait.mul_f64((high - low).mul_add(sample.clamp(0.0, 1.0), low))
}

/// Exact for whole milliseconds.
fn in_millis(wait: Duration) -> f64 {
    wait.as_nanos() as f64 / 1e6
}

/// Rounds a product down to whole milliseconds. One that is just below a whole
/// number counts as that number: decimal factors are not exact in binary.
fn whole_millis(millis: f64) -> Duration {
    let millis = (millis * (1.0 + 8.0 * f64::EPSILON)).min(in_millis(FAR));
    Duration::from_secs_f64(millis.floor() / 1000.0)
}
