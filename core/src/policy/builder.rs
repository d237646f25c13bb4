use std::time::Duration;

use super::{FAR, OnExhausted, RefreshPolicy};
use crate::ConfigError;

/// Builds a [`RefreshPolicy`]; every setting has a default.
#[derive(Clone, Debug, Default)]
pub struct RefreshPolicyBuilder(RefreshPolicy);

impl RefreshPolicyBuilder {
    /// The share of its lifetime after which a token is renewed: 0 to 1.
    /// Default 0.75: of an hour, the last quarter is left for an outage.
    #[must_use]
    pub const fn expiration_refresh_ratio(mut self, ratio: f64) -> Self {
        self.0.ratio = ratio;
        self
    }

    /// A token is renewed at least this long before it expires, whatever the
    /// ratio; at most ten years. Counts for at most half of a lifetime, and not
    /// at all for tokens that live no longer than this. Default 3 min,
    /// Microsoft's advice for Azure Cache for Redis.
    #[must_use]
    pub const fn min_time_left(mut self, bound: Duration) -> Self {
        self.0.min_time_left = bound;
        self
    }

    /// The least time from one success to the next request, and between
    /// requests that [`refresh`](crate::TokenManager::refresh) starts: 1 ms to
    /// 1 min, so that a token is renewed before it expires. Default 1 s.
    #[must_use]
    pub const fn min_refresh_interval(mut self, interval: Duration) -> Self {
        self.0.min_refresh_interval = interval;
        self
    }

    /// The share of the wait by which a renewal may come earlier, evenly
    /// spread: 0 to 1. Keeps the processes of a fleet that started together
    /// apart. Default 0.05.
    #[must_use]
    pub const fn refresh_jitter(mut self, share: f64) -> Self {
        self.0.refresh_jitter = share;
        self
    }

    /// How long one attempt may take: 1 ms or more. Default 10 s.
    #[must_use]
    pub const fn request_timeout(mut self, limit: Duration) -> Self {
        self.0.request_timeout = limit;
        self
    }

    /// The longest wait between two attempts of an outage while a reader or a
    /// lost connection needs a token: 1 ms or more. Default 15 s.
    ///
    /// After the first cycle, each wait is followed by one attempt. Without a
    /// valid token a wait is an eighth of the downtime, from 1 s to this; with
    /// one, an eighth of the time that is left of it, from 2 s to four times
    /// this; four times this is also the limit while no one needs a token. All
    /// waits are spread at random.
    #[must_use]
    pub const fn cool_down(mut self, wait: Duration) -> Self {
        self.0.cool_down = wait;
        self
    }

    /// The longest wait after an error that a person has to fix, such as a wrong
    /// secret: 1 ms or more. Default 5 min.
    ///
    /// The first wait is 5 s and each further one three times as long, up to
    /// this, spread by a fifth: what is missing at a start often arrives late.
    #[must_use]
    pub const fn fatal_cool_down(mut self, wait: Duration) -> Self {
        self.0.fatal_cool_down = wait;
        self
    }

    /// What a failed cycle leads to. Default [`OnExhausted::CoolDown`].
    #[must_use]
    pub const fn on_exhausted(mut self, then: OnExhausted) -> Self {
        self.0.on_exhausted = then;
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`ConfigError`] for a share outside 0 to 1 (NaN included) and for a
    /// duration outside the range that its method names.
    pub fn build(self) -> Result<RefreshPolicy, ConfigError> {
        let Self(policy) = self;
        for (field, share) in [
            ("expiration_refresh_ratio", policy.ratio),
            ("refresh_jitter", policy.refresh_jitter),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(ConfigError::invalid(field, share, "a number from 0 to 1"));
            }
        }
        let (millisecond, minute) = (Duration::from_millis(1), Duration::from_secs(60));
        for (field, value, least, most, allowed) in [
            (
                "min_time_left",
                policy.min_time_left,
                Duration::ZERO,
                FAR,
                "at most 10 years",
            ),
            (
                "min_refresh_interval",
                policy.min_refresh_interval,
                millisecond,
                minute,
                "1 ms to 1 minute",
            ),
            (
                "request_timeout",
                policy.request_timeout,
                millisecond,
                FAR,
                "1 ms to 10 years",
            ),
            (
                "cool_down",
                policy.cool_down,
                millisecond,
                FAR,
                "1 ms to 10 years",
            ),
            (
                "fatal_cool_down",
                policy.fatal_cool_down,
                millisecond,
                FAR,
                "1 ms to 10 years",
            ),
        ] {
            if !(least..=most).contains(&value) {
                return Err(ConfigError::invalid(field, format!("{value:?}"), allowed));
            }
        }
        Ok(policy)
    }
}
