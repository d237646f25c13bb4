use std::time::Duration;

use crate::policy::FAR;
use crate::{ConfigError, ExponentialBackoff};

/// How live connections are re-authenticated.
///
/// "The time left" of a connection counts from the arrival of a new token to the
/// moment at which the server would close the connection.
#[derive(Clone, Debug)]
pub struct ReauthPolicy {
    stagger: f64,
    replace_after: f64,
    max_in_flight: usize,
    auth_timeout: Duration,
    replace_timeout: Duration,
    backoff: ExponentialBackoff,
}

impl ReauthPolicy {
    /// A builder with the defaults, which its methods name.
    #[must_use]
    pub fn builder() -> ReauthPolicyBuilder {
        ReauthPolicyBuilder::default()
    }

    /// The share of the time left over which `AUTH`s are spread.
    #[must_use]
    pub const fn stagger(&self) -> f64 {
        self.stagger
    }

    /// The share of the time left after which a connection is replaced.
    #[must_use]
    pub const fn replace_after(&self) -> f64 {
        self.replace_after
    }

    /// The most `AUTH`s and replacements under way at once.
    #[must_use]
    pub const fn max_in_flight(&self) -> usize {
        self.max_in_flight
    }

    /// The waits between two attempts for one connection.
    #[must_use]
    pub const fn backoff(&self) -> &ExponentialBackoff {
        &self.backoff
    }

    /// How long one `AUTH` may take.
    #[must_use]
    pub const fn auth_timeout(&self) -> Duration {
        self.auth_timeout
    }

    /// How long one replacement may take.
    #[must_use]
    pub const fn replace_timeout(&self) -> Duration {
        self.replace_timeout
    }
}

impl Default for ReauthPolicy {
    fn default() -> Self {
        Self {
            stagger: 0.25,
            replace_after: 0.75,
            max_in_flight: 64,
            auth_timeout: Duration::from_secs(5),
            replace_timeout: Duration::from_secs(10),
            backoff: ExponentialBackoff::with_delays(
                Duration::from_millis(100),
                Duration::from_secs(5),
            ),
        }
    }
}

/// Builds a [`ReauthPolicy`]; every setting has a default.
#[derive(Clone, Debug, Default)]
pub struct ReauthPolicyBuilder(ReauthPolicy);

impl ReauthPolicyBuilder {
    /// The share of the time left over which the `AUTH`s of many connections
    /// are spread: 0 to 1, 0 for all at once. Default 0.25. The first is never
    /// delayed. Sessions that outlive their token are renewed that much earlier
    /// at random, never later.
    #[must_use]
    pub const fn stagger(mut self, share: f64) -> Self {
        self.0.stagger = share;
        self
    }

    /// The share of the time left after which a connection that has not taken
    /// the new token is replaced: 0 to 1. Default 0.75.
    #[must_use]
    pub const fn replace_after(mut self, share: f64) -> Self {
        self.0.replace_after = share;
        self
    }

    /// The most `AUTH`s and replacements under way at once: 1 or more. At most half
    /// of them, rounded up, are replacements, so that a dead node does not hold up
    /// the others. Default 64.
    #[must_use]
    pub const fn max_in_flight(mut self, count: usize) -> Self {
        self.0.max_in_flight = count;
        self
    }

    /// How long one `AUTH` may take: 1 ms or more. Less when the time left is
    /// shorter. Default 5 s.
    #[must_use]
    pub const fn auth_timeout(mut self, limit: Duration) -> Self {
        self.0.auth_timeout = limit;
        self
    }

    /// How long one replacement may take: 1 ms or more. Default 10 s.
    #[must_use]
    pub const fn replace_timeout(mut self, limit: Duration) -> Self {
        self.0.replace_timeout = limit;
        self
    }

    /// The waits between two attempts for one connection: only the delays count,
    /// since attempts never end. Default: 100 ms to 5 s, doubling, spread by a
    /// fifth.
    #[must_use]
    pub fn backoff(mut self, backoff: ExponentialBackoff) -> Self {
        self.0.backoff = backoff;
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`ConfigError`] for a share outside 0 to 1 (NaN included), a limit of
    /// no connections, a duration below 1 ms or above ten years, and a backoff with
    /// [`is_retryable`](crate::ExponentialBackoffBuilder::is_retryable), which would
    /// never be called.
    pub fn build(self) -> Result<ReauthPolicy, ConfigError> {
        let Self(policy) = self;
        for (field, share) in [
            ("stagger", policy.stagger),
            ("replace_after", policy.replace_after),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return Err(ConfigError::invalid(field, share, "a number from 0 to 1"));
            }
        }
        if policy.backoff.has_is_retryable() {
            let allowed = "a backoff without it: every failure is retried";
            return Err(ConfigError::invalid("backoff.is_retryable", "set", allowed));
        }
        if policy.max_in_flight == 0 {
            return Err(ConfigError::invalid("max_in_flight", 0, "1 or more"));
        }
        for (field, limit) in [
            ("auth_timeout", policy.auth_timeout),
            ("replace_timeout", policy.replace_timeout),
        ] {
            if !(Duration::from_millis(1)..=FAR).contains(&limit) {
                let found = format!("{limit:?}");
                return Err(ConfigError::invalid(field, found, "1 ms to 10 years"));
            }
        }
        Ok(policy)
    }
}
