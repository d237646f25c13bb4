//! When a refused log-in is a reason to ask for a fresh token.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where fresh tokens are refused as well, another is not asked for sooner than
/// this: it takes a person, and each makes all connections re-authenticate. As
/// the re-authenticator has it.
const ASK_AGAIN: Duration = Duration::from_secs(5 * 60);

/// Of the connections that reconnect without a limit.
#[derive(Debug, Default)]
pub(crate) struct Asking(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The newest generation that a server has taken.
    taken: u64,
    /// The newest that another was asked for instead of, and when.
    asked: u64,
    asked_at: Option<Instant>,
}

impl Asking {
    /// A server has taken the token of this generation.
    pub(crate) fn taken(&self, generation: u64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.taken = state.taken.max(generation);
    }

    /// A server has refused it; whether to ask for another. One that was taken
    /// before has been revoked, and the next may well do.
    pub(crate) fn refused(&self, generation: u64, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let long_ago = |at| now.saturating_duration_since(at) >= ASK_AGAIN;
        let may = state.taken == generation || state.asked_at.is_none_or(long_ago);
        let asks = may && state.asked < generation;
        if asks {
            state.asked = generation;
            state.asked_at = Some(now);
        }
        asks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revoked_token_is_replaced_at_once() {
        let (asking, now) = (Asking::default(), Instant::now());
        for generation in 1..10 {
            asking.taken(generation);
            assert!(asking.refused(generation, now), "{generation}");
            assert!(!asking.refused(generation, now), "{generation}");
        }
    }

    #[test]
    fn fresh_tokens_that_are_refused_are_asked_for_rarely() {
        let (asking, now) = (Asking::default(), Instant::now());
        assert!(asking.refused(1, now));
        assert!(!asking.refused(2, now));
        let early = now + ASK_AGAIN - Duration::from_secs(1);
        assert!(!asking.refused(3, early));
        assert!(asking.refused(3, now + ASK_AGAIN));
    }
}
