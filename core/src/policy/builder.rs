use std::time::Duration;

use super::ratio::Ratio;
use super::{FAR, OnExhausted, RefreshPolicy};
use crate::ConfigError;

/// Builds a [`RefreshPolicy`]; every setting has a default.
#[derive(Clone, Debug)]
pub struct RefreshPolicyBuilder {
    /// As it was written: checked when the policy is built.
    ratio: f64,
    policy: RefreshPolicy,
}

impl Default for RefreshPolicyBuilder {
    fn default() -> Self {
        Self {
            ratio: super::DEFAULT_RATIO,
            policy: RefreshPolicy::default(),
        }
    }
}

impl RefreshPolicyBuilder {
    /// The share of its lifetime after which a token is renewed: 0 to 1.
    /// Default 0.75: of an hour, the last quarter is left for an outage.
    #[must_use]
    pub const fn expiration_refresh_ratio(mut self, ratio: f64) -> Self {
        self.ratio = ratio;
        self
    }

    /// A token is renewed at least this long before it expires, whatever the
    /// ratio. Left out for tokens that live no longer than this. Default
    /// 3 min, Microsoft's advice for Azure Cache for Redis.
    #[must_use]
    pub const fn lower_bound(mut self, bound: Duration) -> Self {
        self.policy.lower_bound = bound;
        self
    }

    /// The least time from one success to the next request, and between
    /// requests asked for by [`refresh`](crate::TokenManager::refresh): 1 ms
    /// or more. Default 1 s.
    #[must_use]
    pub const fn min_interval(mut self, interval: Duration) -> Self {
        self.policy.min_interval = interval;
        self
    }

    /// The share of the wait by which a renewal may come earlier, evenly
    /// spread: 0 to 1. Keeps the processes of a fleet that started together
    /// apart. Default 0.05.
    #[must_use]
    pub const fn refresh_jitter(mut self, share: f64) -> Self {
        self.policy.refresh_jitter = share;
        self
    }

    /// How long one attempt may take: 1 ms or more. Default 10 s.
    #[must_use]
    pub const fn request_timeout(mut self, limit: Duration) -> Self {
        self.policy.request_timeout = limit;
        self
    }

    /// The wait between two failed cycles, spread by a fifth: 1 ms or more.
    /// Default 30 s.
    #[must_use]
    pub const fn cool_down(mut self, wait: Duration) -> Self {
        self.policy.cool_down = wait;
        self
    }

    /// The wait after an error that someone has to mend (a wrong secret, say),
    /// spread by a fifth: 1 ms or more. Default 5 min.
    #[must_use]
    pub const fn fatal_cool_down(mut self, wait: Duration) -> Self {
        self.policy.fatal_cool_down = wait;
        self
    }

    /// What a failed cycle leads to. Default [`OnExhausted::CoolDown`].
    #[must_use]
    pub const fn on_exhausted(mut self, then: OnExhausted) -> Self {
        self.policy.on_exhausted = then;
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`ConfigError`] for a share outside 0 to 1 (NaN included) and for a
    /// duration below 1 ms or above ten years.
    pub fn build(self) -> Result<RefreshPolicy, ConfigError> {
        let Self { ratio, mut policy } = self;
        policy.ratio = Ratio::new(ratio).ok_or_else(|| share("expiration_refresh_ratio", ratio))?;
        if !(0.0..=1.0).contains(&policy.refresh_jitter) {
            return Err(share("refresh_jitter", policy.refresh_jitter));
        }
        for (field, value) in [
            ("min_interval", policy.min_interval),
            ("request_timeout", policy.request_timeout),
            ("cool_down", policy.cool_down),
            ("fatal_cool_down", policy.fatal_cool_down),
        ] {
            if !(Duration::from_millis(1)..=FAR).contains(&value) {
                let found = format!("{value:?}");
                return Err(ConfigError::invalid(field, found, "1 ms to 10 years"));
            }
        }
        Ok(policy)
    }
}

fn share(field: &'static str, found: f64) -> ConfigError {
    ConfigError::invalid(field, found, "a number from 0 to 1")
}
