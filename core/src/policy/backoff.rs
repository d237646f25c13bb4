use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{FAR, RetryContext, RetryDecision, RetryPolicy, in_millis, whole_millis};
use crate::{ConfigError, ProviderError};

type IsRetryable = Arc<dyn Fn(&ProviderError, u32) -> bool + Send + Sync>;

/// Waits that grow by a factor up to a limit, spread by jitter.
///
/// The wait after attempt `n` is `initial_delay × backoff_multiplierⁿ⁻¹`, at
/// most `max_delay`, in whole milliseconds, and moved by up to `jitter` of
/// itself to either side. A wait that would pass `max_delay` is reflected
/// there, so that waits at the limit stay evenly spread.
///
/// ```
/// use std::time::Duration;
/// use redis_authx::ExponentialBackoff;
///
/// let retry = ExponentialBackoff::builder()
///     .max_attempts(3)
///     .initial_delay(Duration::from_millis(100))
///     .max_delay(Duration::from_secs(1))
///     .backoff_multiplier(2.0)
///     .build()?;
/// assert_eq!(retry.delay(2), Duration::from_millis(200));
/// # Ok::<(), redis_authx::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ExponentialBackoff {
    max_attempts: u32,
    initial_delay: Duration,
    max_delay: Duration,
    multiplier: f64,
    jitter: f64,
    is_retryable: Option<IsRetryable>,
}

impl ExponentialBackoff {
    /// A builder with the defaults, which its methods name.
    #[must_use]
    pub fn builder() -> ExponentialBackoffBuilder {
        ExponentialBackoffBuilder(Self::default())
    }

    /// A builder with the settings of this one, to change some of them.
    ///
    /// ```
    /// use redis_authx::{ErrorKind, ExponentialBackoff};
    ///
    /// let retry = ExponentialBackoff::default()
    ///     .to_builder()
    ///     .is_retryable(|error, _| error.kind() == ErrorKind::Timeout)
    ///     .build()?;
    /// # let _ = retry;
    /// # Ok::<(), redis_authx::ConfigError>(())
    /// ```
    #[must_use]
    pub fn to_builder(&self) -> ExponentialBackoffBuilder {
        ExponentialBackoffBuilder(self.clone())
    }

    pub(crate) const fn has_is_retryable(&self) -> bool {
        self.is_retryable.is_some()
    }

    /// Without the checks of the builder, for constants.
    pub(crate) fn with_delays(initial_delay: Duration, max_delay: Duration) -> Self {
        Self {
            initial_delay,
            max_delay,
            ..Self::default()
        }
    }

    /// The wait after the failed attempt number `attempt` (1 for the first),
    /// before jitter.
    #[must_use]
    pub fn delay(&self, attempt: u32) -> Duration {
        if self.initial_delay.is_zero() {
            return Duration::ZERO;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let millis = in_millis(self.initial_delay) * self.multiplier.powi(exponent);
        whole_millis(millis.min(in_millis(self.max_delay))).min(self.max_delay)
    }

    /// The wait after attempt number `attempt`, with jitter: `sample` from 0
    /// to 1 moves it evenly from its lower to its upper end.
    #[must_use]
    pub fn jittered_delay(&self, attempt: u32, sample: f64) -> Duration {
        let delay = self.delay(attempt).as_secs_f64();
        let max = self.max_delay.as_secs_f64();
        let moved = delay
            * self
                .jitter
                .mul_add(2.0f64.mul_add(sample.clamp(0.0, 1.0), -1.0), 1.0);
        let moved = if moved > max {
            2.0f64.mul_add(max, -moved)
        } else {
            moved
        };
        Duration::from_secs_f64(moved.clamp(0.0, max))
    }
}

/// Five attempts, 250 ms to 10 s apart, doubling, spread by a fifth.
impl Default for ExponentialBackoff {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            initial_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(10),
            multiplier: 2.0,
            jitter: 0.2,
            is_retryable: None,
        }
    }
}

impl RetryPolicy for ExponentialBackoff {
    fn on_failure(&self, context: &RetryContext<'_>) -> RetryDecision {
        let retryable = match &self.is_retryable {
            Some(is_retryable) => is_retryable(context.error, context.attempt.saturating_sub(1)),
            None => context.error.is_transient(),
        };
        if !retryable {
            RetryDecision::Fatal
        } else if context.attempt >= self.max_attempts {
            RetryDecision::CoolDown
        } else {
            RetryDecision::RetryAfter(self.jittered_delay(context.attempt, context.sample))
        }
    }
}

impl fmt::Debug for ExponentialBackoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExponentialBackoff")
            .field("max_attempts", &self.max_attempts)
            .field("initial_delay", &self.initial_delay)
            .field("max_delay", &self.max_delay)
            .field("backoff_multiplier", &self.multiplier)
            .field("jitter", &self.jitter)
            .field("is_retryable", &self.is_retryable.as_ref().map(|_| "set"))
            .finish()
    }
}

/// Builds an [`ExponentialBackoff`]; every setting has a default.
#[derive(Clone, Debug)]
pub struct ExponentialBackoffBuilder(ExponentialBackoff);

impl ExponentialBackoffBuilder {
    /// Attempts in a cycle, the first included: 1 or more. Default 5.
    #[must_use]
    pub const fn max_attempts(mut self, attempts: u32) -> Self {
        self.0.max_attempts = attempts;
        self
    }

    /// The wait after the first failed attempt. Default 250 ms.
    #[must_use]
    pub const fn initial_delay(mut self, delay: Duration) -> Self {
        self.0.initial_delay = delay;
        self
    }

    /// The longest wait, 1 ms or more; jitter does not pass it. Default 10 s.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.0.max_delay = delay;
        self
    }

    /// The factor from one wait to the next: 1 or more. Default 2.
    #[must_use]
    pub const fn backoff_multiplier(mut self, factor: f64) -> Self {
        self.0.multiplier = factor;
        self
    }

    /// The share of a wait that is added or subtracted at most: 0 to 1.
    /// Default 0.2.
    #[must_use]
    pub const fn jitter(mut self, share: f64) -> Self {
        self.0.jitter = share;
        self
    }

    /// Decides which errors are worth a retry: called with the error and the
    /// number of attempts made before the failed one (0 for the first). An
    /// error that is not ends the cycle. Default: every error that
    /// [is transient](ProviderError::is_transient).
    #[must_use]
    pub fn is_retryable(
        mut self,
        decide: impl Fn(&ProviderError, u32) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.0.is_retryable = Some(Arc::new(decide));
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`ConfigError`] for no attempts, a multiplier that is not a number of 1
    /// or more, a jitter outside 0 to 1, and a delay above ten years.
    pub fn build(self) -> Result<ExponentialBackoff, ConfigError> {
        let Self(built) = self;
        if built.max_attempts == 0 {
            return Err(ConfigError::invalid("max_attempts", 0, "1 or more"));
        }
        if !(1.0..=f64::MAX).contains(&built.multiplier) {
            return Err(ConfigError::invalid(
                "backoff_multiplier",
                built.multiplier,
                "a number of 1 or more",
            ));
        }
        if !(0.0..=1.0).contains(&built.jitter) {
            return Err(ConfigError::invalid(
                "jitter",
                built.jitter,
                "a number from 0 to 1",
            ));
        }
        if built.initial_delay > FAR {
            let found = format!("{:?}", built.initial_delay);
            return Err(ConfigError::invalid(
                "initial_delay",
                found,
                "at most 10 years",
            ));
        }
        if !(Duration::from_millis(1)..=FAR).contains(&built.max_delay) {
            let found = format!("{:?}", built.max_delay);
            return Err(ConfigError::invalid("max_delay", found, "1 ms to 10 years"));
        }
        Ok(built)
    }
}
