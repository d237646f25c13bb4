use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// While tokens are refused one after the other, the next is not requested sooner
/// than this: a person has to fix something, and each new token makes all
/// sessions re-authenticate.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(5 * 60);

/// Limits the token requests that follow refused log-ins.
///
/// A token that was accepted before has been revoked, and the next one may be
/// accepted: it is requested at once. Otherwise one is requested every five
/// minutes, also when the identity service keeps returning the refused one.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    /// The latest generation that another was requested instead of, and when.
    asked: u64,
    asked_at: Option<Instant>,
}

impl Limiter {
    pub(super) const fn new() -> Self {
        Self {
            asked: 0,
            asked_at: None,
        }
    }

    /// A server has refused the token of this generation. Returns whether to
    /// request another.
    pub(super) fn rejected(&mut self, generation: u64, was_accepted: bool, now: Instant) -> bool {
        let long_ago = |at| now.saturating_duration_since(at) >= ASK_AGAIN;
        let is_revoked = was_accepted && self.asked < generation;
        let asks = is_revoked || self.asked_at.is_none_or(long_ago);
        if asks {
            self.asked = generation;
            self.asked_at = Some(now);
        }
        asks
    }
}

/// Limits the token requests that follow refused log-ins on connections that a
/// client opens by itself.
///
/// The rules are those for sessions of a
/// [`Reauthenticator`](crate::Reauthenticator), which limits its own requests.
#[derive(Debug, Default)]
pub struct RefusalLimiter(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest generation that a server has accepted.
    accepted: u64,
    limiter: Limiter,
}

impl RefusalLimiter {
    /// A server has accepted the token of this generation.
    pub fn accepted(&self, generation: u64) {
        let mut state = self.lock();
        state.accepted = state.accepted.max(generation);
    }

    /// A server has refused the token of this generation. Returns whether to
    /// request another, with
    /// [`refresh_refused`](redis_authx::Credentials::refresh_refused).
    #[must_use]
    pub fn rejected(&self, generation: u64, now: Instant) -> bool {
        let mut state = self.lock();
        let was_accepted = state.accepted == generation;
        state.limiter.rejected(generation, was_accepted, now)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "any instant will do")]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_token_is_replaced_at_once() {
        let (limiter, now) = (RefusalLimiter::default(), Instant::now());
        for generation in 1..10 {
            limiter.accepted(generation);
            assert!(limiter.rejected(generation, now), "{generation}");
            assert!(!limiter.rejected(generation, now), "{generation}");
        }
    }

    #[test]
    fn fresh_tokens_that_are_refused_are_requested_rarely() {
        let (limiter, now) = (RefusalLimiter::default(), Instant::now());
        assert!(limiter.rejected(1, now));
        assert!(!limiter.rejected(2, now));
        let early = now + ASK_AGAIN - Duration::from_secs(1);
        assert!(!limiter.rejected(3, early));
        assert!(limiter.rejected(3, now + ASK_AGAIN));
    }

    #[test]
    fn the_same_token_is_asked_about_again() {
        let (limiter, now) = (RefusalLimiter::default(), Instant::now());
        limiter.accepted(1);
        assert!(limiter.rejected(1, now));
        assert!(!limiter.rejected(1, now + ASK_AGAIN / 2));
        assert!(limiter.rejected(1, now + ASK_AGAIN));
    }
}
