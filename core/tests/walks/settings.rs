use std::sync::Arc;
use std::time::Duration;

use redis_authx::{
    ExponentialBackoff, OnExhausted, RefreshPolicy, RetryContext, RetryDecision, RetryPolicy,
};

use crate::choices::Choices;

/// A configuration, and what of it the rules speak of.
pub(crate) struct Settings {
    pub(crate) policy: RefreshPolicy,
    pub(crate) retry: Arc<dyn RetryPolicy>,
    /// `None` with a retry policy that knows no limit.
    pub(crate) max_attempts: Option<u32>,
    pub(crate) min_refresh_interval: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) refresh_jitter: f64,
    pub(crate) stops_when_exhausted: bool,
}

impl Settings {
    pub(crate) fn new(choices: &mut impl Choices) -> Self {
        let min_refresh_interval = Duration::from_millis(1) + choices.millis(3000);
        let request_timeout = Duration::from_millis(1) + choices.millis(20_000);
        let refresh_jitter = share(choices);
        let stops_when_exhausted = choices.one_in(4);
        let policy = RefreshPolicy::builder()
            .expiration_refresh_ratio(choices.of(&[0.0, 0.5, 0.75, 1.0]))
            .min_time_left(Duration::from_secs(choices.below(600)))
            .refresh_jitter(refresh_jitter)
            .min_refresh_interval(min_refresh_interval)
            .request_timeout(request_timeout)
            .cool_down(Duration::from_millis(1) + choices.millis(60_000))
            .fatal_cool_down(Duration::from_millis(1) + choices.millis(600_000))
            .on_exhausted(if stops_when_exhausted {
                OnExhausted::WaitForRefresh
            } else {
                OnExhausted::CoolDown
            })
            .build()
            .expect("valid settings");
        let max_attempts = (!choices.one_in(5)).then(|| 1 + choices.below(5) as u32);
        let retry: Arc<dyn RetryPolicy> = match max_attempts {
            Some(attempts) => Arc::new(backoff(attempts, choices)),
            None => Arc::new(Whimsical),
        };
        Self {
            policy,
            retry,
            max_attempts,
            min_refresh_interval,
            request_timeout,
            refresh_jitter,
            stops_when_exhausted,
        }
    }
}

fn share(choices: &mut impl Choices) -> f64 {
    choices.below(101) as f64 / 100.0
}

fn backoff(attempts: u32, choices: &mut impl Choices) -> ExponentialBackoff {
    ExponentialBackoff::builder()
        .max_attempts(attempts)
        .initial_delay(choices.millis(500))
        .backoff_multiplier(1.0 + 3.0 * share(choices))
        .jitter(share(choices))
        .build()
        .expect("valid settings")
}

/// Decides by the sample alone, sometimes beyond reason.
#[derive(Debug)]
struct Whimsical;

impl RetryPolicy for Whimsical {
    fn on_failure(&self, context: &RetryContext<'_>) -> RetryDecision {
        assert!((0.0..1.0).contains(&context.sample));
        assert!(context.attempt >= 1);
        match (context.sample * 10.0) as u32 {
            0 => RetryDecision::Fatal,
            1 | 2 => RetryDecision::CoolDown,
            3 => RetryDecision::RetryAfter(Duration::MAX),
            4 => RetryDecision::RetryAfter(Duration::ZERO),
            _ => RetryDecision::RetryAfter(Duration::from_secs_f64(context.sample * 30.0)),
        }
    }
}
