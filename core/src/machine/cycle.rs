use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::phase::{Phase, Wait};
use super::{Machine, Output, Snapshot};
use crate::policy::{LONGEST_RETRY_AFTER, OnExhausted};
use crate::{Event, ProviderError, RetryContext, RetryDecision};

/// A retry is never sooner than this, whatever a policy returns.
const RETRY_FLOOR: Duration = Duration::from_millis(1);

/// Attempts and failures since the last success.
#[derive(Debug)]
pub(super) struct Cycle {
    /// Failed attempts of this cycle.
    pub(super) attempts: u32,
    /// When this cycle's first attempt began.
    pub(super) started: Instant,
    pub(super) last_request: Option<Instant>,
    last_success: Option<Instant>,
    /// Failed attempts since the last success, and when the first was.
    failures: u32,
    failing_since: Option<Instant>,
    last_error: Option<ProviderError>,
    /// Until when the identity service asked to be left alone.
    hold_off: Option<Instant>,
}

impl Cycle {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            attempts: 0,
            started: now,
            last_request: None,
            last_success: None,
            failures: 0,
            failing_since: None,
            last_error: None,
            hold_off: None,
        }
    }

    /// Forgets the failures; tells of them when there were any.
    pub(super) fn succeeded(&mut self, now: Instant) -> Option<Event> {
        let failures = std::mem::take(&mut self.failures);
        let outage = self.failing_since.take();
        self.last_success = Some(now);
        self.last_error = None;
        self.hold_off = None;
        outage.map(|since| Event::Recovered {
            failures,
            outage: now.saturating_duration_since(since),
        })
    }

    fn failed(&mut self, now: Instant, error: &ProviderError) {
        self.attempts = self.attempts.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(now);
        self.last_error = Some(error.clone());
        self.hold_off = error
            .retry_after()
            .map(|wait| now + wait.min(LONGEST_RETRY_AFTER));
    }

    /// The earliest time for a request that someone asked for.
    pub(super) fn earliest_request(&self, min_interval: Duration) -> Option<Instant> {
        let apart = |at: Option<Instant>| at.map(|at| at + min_interval);
        [
            apart(self.last_request),
            apart(self.last_success),
            self.hold_off,
        ]
        .into_iter()
        .flatten()
        .max()
    }

    /// What readers see when no token is held.
    pub(super) fn unavailable<T>(&self) -> Snapshot<T> {
        self.last_error
            .clone()
            .map_or(Snapshot::Pending, Snapshot::Unavailable)
    }
}

impl<T: Clone> Machine<T> {
    /// A failed attempt: retry, cool down or give up, as the policy says.
    pub(super) fn failed(&mut self, error: ProviderError) {
        let sample = self.random.f64();
        self.cycle.failed(self.now, &error);
        let attempt = self.cycle.attempts;
        let context = RetryContext {
            attempt,
            elapsed: self.now.saturating_duration_since(self.cycle.started),
            error: &error,
            sample,
        };
        // A policy that panics ends the cycle, not the manager.
        let decide = AssertUnwindSafe(|| self.retry.on_failure(&context));
        let decision = catch_unwind(decide).unwrap_or(RetryDecision::CoolDown);
        let (fatal, retry_in) = match decision {
            RetryDecision::RetryAfter(delay) => (false, Some(delay.max(RETRY_FLOOR))),
            RetryDecision::CoolDown => (false, None),
            RetryDecision::GiveUp => (true, None),
        };
        let retry_in = retry_in.map(|delay| self.hold_off(delay));
        self.outputs.push_back(Output::Report(Event::AttemptFailed {
            attempt,
            error: error.clone(),
            retry_in,
        }));
        match retry_in {
            Some(delay) => self.phase = Phase::waiting(self.now + delay, Wait::Retry),
            None => self.exhausted(error, fatal, sample),
        }
    }

    fn exhausted(&mut self, error: ProviderError, fatal: bool, sample: f64) {
        let next_in = match self.policy.on_exhausted() {
            OnExhausted::CoolDown => Some(self.hold_off(self.policy.cool_down(fatal, sample))),
            OnExhausted::Stop => None,
        };
        self.phase = match next_in {
            Some(wait) => Phase::waiting(self.now + wait, Wait::CoolDown { fatal }),
            None => Phase::Idle,
        };
        // A valid token is never withdrawn by an error.
        if self.held.is_none() {
            self.outputs
                .push_back(Output::Publish(Snapshot::Unavailable(error.clone())));
        }
        self.outputs
            .push_back(Output::Report(Event::CycleExhausted {
                attempts: self.cycle.attempts,
                error,
                next_in,
            }));
    }

    /// `delay`, lengthened by what the identity service asked for.
    fn hold_off(&self, delay: Duration) -> Duration {
        let asked = self.cycle.hold_off.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(self.now)
        });
        delay.min(crate::policy::FAR).max(asked)
    }
}
