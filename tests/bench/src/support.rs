//! What the benches of the real manager share.

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use redis_authx::testing::{ManualClock, Run};
use redis_authx::{
    IdentityProvider, Observer, ProviderError, RefreshPolicy, Token, TokenManager, TokenRequest,
    async_trait,
};
use redis_authx_tokio::Tokio;

/// As long as a real user name (an object id) …
const USER: &str = "6f1d2c3b-4a59-4e68-9f70-81a2b3c4d5e6";
/// … and a usual access token.
const TOKEN_BYTES: usize = 1500;

/// User name and password of a usual size.
pub(crate) fn user_and_password() -> (String, String) {
    (USER.to_owned(), "t".repeat(TOKEN_BYTES))
}

/// Answers at once, with another token every time.
#[derive(Debug)]
pub(crate) struct Instantly {
    lifetime: Duration,
    padding: String,
    answers: AtomicU64,
}

impl Instantly {
    pub(crate) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            padding: user_and_password().1,
            answers: AtomicU64::new(0),
        }
    }
}

#[async_trait]
impl IdentityProvider for Instantly {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let number = self.answers.fetch_add(1, Ordering::Relaxed);
        let password = format!("{number}{}", self.padding);
        Ok(Token::new(USER, password).expires_in(self.lifetime))
    }
}

/// A manager in simulated time, with tokens of a usual size in it.
pub(crate) fn manager(lifetime: Duration) -> (TokenManager, Run) {
    let time = ManualClock::new();
    let (manager, driver) = TokenManager::builder(Instantly::new(lifetime))
        .seed(7)
        .build(&time);
    (manager, time.run(driver))
}

/// Whose connections are measured.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ClientName {
    /// redis-rs.
    #[default]
    Redis,
    /// fred.
    Fred,
}

impl ClientName {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Redis => "redis-rs",
            Self::Fred => "fred",
        }
    }
}

/// A manager whose tokens are there at once, and are renewed so long after they
/// came.
pub(crate) fn spawn_manager(
    lifetime: Duration,
    renewed_after: Duration,
    observer: impl Observer,
) -> TokenManager {
    TokenManager::builder(Instantly::new(lifetime))
        .refresh_policy(refresh_after(renewed_after, lifetime))
        .observer(observer)
        .spawn(Tokio)
        .expect("a manager")
}

/// At exactly this moment of a token's life, however soon that is.
pub(crate) fn refresh_after(after: Duration, lifetime: Duration) -> RefreshPolicy {
    RefreshPolicy::builder()
        .expiration_refresh_ratio(after.as_secs_f64() / lifetime.as_secs_f64())
        .refresh_jitter(0.0)
        .min_refresh_interval(Duration::from_secs(1).min(after / 2))
        .build()
        .expect("a policy")
}

/// What all threads of this process have had of the CPU; `None` where the system
/// does not tell in `/proc`.
pub(crate) fn cpu_time() -> Option<Duration> {
    // Linux' `Documentation/scheduler/sched-stats.rst`: nanoseconds first.
    let spent = |task: fs::DirEntry| -> Option<u64> {
        let line = fs::read_to_string(task.path().join("schedstat")).ok()?;
        line.split_whitespace().next()?.parse().ok()
    };
    let tasks = fs::read_dir("/proc/self/task").ok()?.flatten();
    let nanos = tasks.map(spent).sum::<Option<u64>>()?;
    Some(Duration::from_nanos(nanos))
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_goes_on() {
        let before = cpu_time();
        let mut sum = 0_u64;
        while before.is_some() && cpu_time() <= before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }

    #[test]
    fn the_median_is_the_middle_one() {
        assert!((median(vec![9.0, 1.0, 5.0]) - 5.0).abs() < f64::EPSILON);
        assert!(median(Vec::new()).is_nan());
    }
}
