use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use super::phase::{Phase, Wait};
use super::{Machine, Outlook, Output, Snapshot};
use crate::policy::{FAR, LONGEST_RETRY_AFTER, OnExhausted};
use crate::{Event, ProviderError, RequestReason, RetryContext, RetryDecision};

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
    /// Why the cycle's requests are made, where it is not the schedule.
    pub(super) reason: Option<RequestReason>,
    /// Since when there has been no valid token, as far as that was noticed.
    pub(super) down_since: Option<Instant>,
    /// What the latest failure leads to.
    pub(super) outlook: Outlook,
    /// Whether the end of this cycle has been reported.
    exhausted: bool,
    last_success: Option<Instant>,
    /// Failed attempts since the last success, and when the first was.
    failures: u32,
    fatal_failures: u32,
    failing_since: Option<Instant>,
    last_error: Option<ProviderError>,
    /// Until when the identity service asked not to be called.
    hold_off: Option<Instant>,
}

impl Cycle {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            attempts: 0,
            started: now,
            last_request: None,
            reason: None,
            down_since: None,
            outlook: Outlook::Retrying,
            exhausted: false,
            last_success: None,
            failures: 0,
            fatal_failures: 0,
            failing_since: None,
            last_error: None,
            hold_off: None,
        }
    }

    /// A new cycle of attempts begins.
    pub(super) const fn begin(&mut self) {
        self.attempts = 0;
        self.exhausted = false;
    }

    /// Forgets the failures; reports them when there were any.
    pub(super) fn succeeded(&mut self, now: Instant) -> Option<Event> {
        let past = std::mem::replace(self, Self::new(now));
        self.last_request = past.last_request;
        self.last_success = Some(now);
        past.failing_since.map(|since| Event::Recovered {
            failures: past.failures,
            outage: now.saturating_duration_since(since),
        })
    }

    /// `spread` (0 to 1) keeps apart those that a server has sent away together.
    fn failed(&mut self, now: Instant, error: &ProviderError, spread: f64) {
        self.attempts = self.attempts.saturating_add(1);
        self.failures = self.failures.saturating_add(1);
        self.failing_since.get_or_insert(now);
        self.last_error = Some(error.clone());
        self.hold_off = error.retry_after().map(|wait| {
            let wait = wait.min(LONGEST_RETRY_AFTER);
            now + wait + wait.mul_f64(spread / 5.0)
        });
    }

    /// The earliest time for a request ahead of the schedule.
    pub(super) fn earliest_request(&self, min_refresh_interval: Duration) -> Option<Instant> {
        let apart = |at: Option<Instant>| at.map(|at| at + min_refresh_interval);
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
    fn unavailable<T>(&self) -> Snapshot<T> {
        let outlook = self.outlook;
        self.last_error
            .clone()
            .map_or(Snapshot::Pending, |error| Snapshot::Unavailable {
                error,
                outlook,
            })
    }
}

impl<T: Clone> Machine<T> {
    pub(super) fn publish_unavailable(&mut self) {
        self.outputs
            .push_back(Output::Publish(self.cycle.unavailable()));
    }

    /// A failed attempt: the retry policy decides what follows.
    pub(super) fn failed(&mut self, error: ProviderError) {
        let sample = self.random.f64();
        let now = self.now.monotonic();
        self.cycle.failed(now, &error, self.random.f64());
        if self.held.is_none() {
            self.cycle.down_since.get_or_insert(now);
        }
        let attempt = self.cycle.attempts;
        let context = RetryContext {
            attempt,
            elapsed: now.saturating_duration_since(self.cycle.started),
            error: &error,
            sample,
        };
        // A policy that panics ends the cycle, not the manager.
        let decide = AssertUnwindSafe(|| self.retry.on_failure(&context));
        let decision = catch_unwind(decide).unwrap_or(RetryDecision::CoolDown);
        match decision {
            RetryDecision::RetryAfter(delay) => self.wait(delay.max(RETRY_FLOOR), Wait::Retry),
            RetryDecision::CoolDown => self.exhausted(false, sample),
            RetryDecision::Fatal => self.exhausted(true, sample),
        }
        let was_exhausted = self.cycle.exhausted;
        self.cycle.exhausted |= !matches!(decision, RetryDecision::RetryAfter(_));
        // Asked for since this attempt began.
        if self.refresh.is_some() {
            self.hurry(now);
            self.cycle.outlook = Outlook::Retrying;
        }
        let retry_in = self.phase.deadline().map(|at| at - now);
        self.outputs.push_back(Output::Report(Event::AttemptFailed {
            attempt,
            error: error.clone(),
            retry_in,
        }));
        if self.cycle.exhausted {
            // A valid token is never withdrawn by an error.
            if self.held.is_none() {
                self.publish_unavailable();
            }
            if !was_exhausted {
                self.outputs
                    .push_back(Output::Report(Event::CycleExhausted {
                        attempts: attempt,
                        error,
                        next_in: retry_in,
                    }));
            }
        }
    }

    /// The cycle has used up its retries, or an error can't be retried. Plans
    /// the next attempt, if there is one.
    fn exhausted(&mut self, fatal: bool, sample: f64) {
        if self.policy.on_exhausted() == OnExhausted::WaitForRefresh {
            self.cycle.outlook = Outlook::GivenUp;
            self.phase = Phase::Idle;
            return;
        }
        let now = self.now.monotonic();
        if fatal {
            self.cycle.outlook = Outlook::Fatal;
            self.cycle.fatal_failures = self.cycle.fatal_failures.saturating_add(1);
            let wait = self.policy.fatal_wait(self.cycle.fatal_failures, sample);
            return self.wait(wait, Wait::Fatal);
        }
        self.cycle.outlook = Outlook::Retrying;
        let (wait, needed) = match &self.held {
            Some(held) => {
                let left = held.end.map(|end| end.time_left(self.now));
                let wait = self.policy.wait_with_token(left, sample);
                (wait, wait)
            }
            None => {
                let down = self.cycle.down_since.unwrap_or(now);
                let down = now.saturating_duration_since(down);
                let wait = |needed| self.policy.wait_without_token(down, needed, sample);
                (wait(self.needed), wait(true))
            }
        };
        let if_needed = now + needed.min(FAR);
        self.wait(wait, Wait::Outage { if_needed });
    }

    /// Plans the next attempt after `delay`, or later where the identity service
    /// asked for that.
    fn wait(&mut self, delay: Duration, wait: Wait) {
        let planned = self.now.monotonic() + delay.min(FAR);
        let until = planned.max(self.cycle.hold_off.unwrap_or(planned));
        self.phase = Phase::waiting(until, wait);
    }
}
