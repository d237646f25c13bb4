//! The token manager as a pure state machine: no clock, no timer, no task.
//!
//! # How it is driven
//! One sentence: **hand in an input, drain the outputs, then read the
//! timeout**, and do that again when something has happened or the timeout
//! has come.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant, SystemTime};
//! use redis_authx::machine::{Input, Lease, Machine, Output};
//! use redis_authx::{ExponentialBackoff, Moment, RefreshPolicy};
//!
//! # #[allow(clippy::disallowed_methods)]
//! let start = Moment::new(Instant::now(), SystemTime::now());
//! let retry = Arc::new(ExponentialBackoff::default());
//! let mut machine = Machine::new(RefreshPolicy::default(), retry, 7, start);
//!
//! // It begins by asking for a request …
//! let Some(Output::Request(id)) = machine.poll_output() else { panic!() };
//! // … the answer is an input …
//! let lease = Lease::new("token", Some(start.after(Duration::from_secs(3600))));
//! machine.handle_input(start, Input::Completed { id, result: Ok(lease) });
//! while let Some(output) = machine.poll_output() {
//!     // … which leads to outputs: here, the token is published.
//!     let _ = output;
//! }
//! // Nothing more to do until the renewal, within the hour.
//! let renewal = machine.poll_timeout().unwrap();
//! assert!(renewal - start.monotonic() <= Duration::from_secs(2700));
//! ```
//!
//! `now` is an argument of every input. Its monotonic time never decreases: an
//! earlier one counts as the latest one seen. Its wall-clock time may jump: a
//! token ends as soon as either clock has reached its end. Inputs that come
//! late, twice or without a reason are harmless.

mod cycle;
mod io;
mod phase;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use io::{Input, Lease, Outlook, Output, RequestId, Snapshot};

use crate::policy::FAR;
use crate::{ErrorKind, Event, Moment, ProviderError, RefreshPolicy, RequestReason, RetryPolicy};
use cycle::Cycle;
use phase::{Held, Phase, Wait};

/// A token's end by the wall clock moves its end by the monotonic clock once
/// they differ by this much. Less is the time between the two readings.
const CLOCK_TOLERANCE: Duration = Duration::from_millis(1);

/// The token manager's logic. Generic over the payload, so that it can't print
/// a secret.
#[derive(Debug)]
pub struct Machine<T> {
    policy: RefreshPolicy,
    retry: Arc<dyn RetryPolicy>,
    random: fastrand::Rng,
    now: Moment,
    phase: Phase,
    held: Option<Held<T>>,
    generation: u64,
    cycle: Cycle,
    next_request: u64,
    /// Asked for, and not begun.
    refresh: Option<RequestReason>,
    /// Whether a reader or a lost connection needs a token.
    needed: bool,
    outputs: VecDeque<Output<T>>,
}

impl<T: Clone> Machine<T> {
    /// A machine whose first output is a request. `seed` decides all its
    /// random choices: the same inputs lead to the same outputs.
    pub fn new(policy: RefreshPolicy, retry: Arc<dyn RetryPolicy>, seed: u64, now: Moment) -> Self {
        let mut machine = Self {
            policy,
            retry,
            random: fastrand::Rng::with_seed(seed),
            now,
            phase: Phase::Idle,
            held: None,
            generation: 0,
            cycle: Cycle::new(now.monotonic()),
            next_request: 1,
            refresh: None,
            needed: false,
            outputs: VecDeque::new(),
        };
        machine.start_request();
        machine
    }

    /// Takes an input at `now`. Infallible: an input that comes late or without a
    /// reason changes nothing.
    pub fn handle_input(&mut self, now: Moment, input: Input<T>) {
        if matches!(self.phase, Phase::Stopped) {
            return;
        }
        self.read_clocks(now);
        match input {
            Input::Completed { id, result } => self.completed(id, result),
            Input::Needed(needed) => self.set_needed(needed),
            Input::Refresh(reason) => self.refresh(reason),
            Input::Stop => return self.stop(),
            Input::Timeout => {}
        }
        self.run_timers();
    }

    /// The next thing to do; drain it to `None` before the next input.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output<T>> {
        self.outputs.pop_front()
    }

    /// When to hand in [`Input::Timeout`] if nothing else comes first: later
    /// than the latest `now`, or `None` when there is nothing to wait for.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.phase.deadline(), self.expires()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether it has stopped: for good.
    #[must_use]
    pub const fn is_stopped(&self) -> bool {
        matches!(self.phase, Phase::Stopped)
    }

    /// The payload that is held and has not expired.
    #[must_use]
    pub fn current(&self) -> Option<&T> {
        self.held.as_ref().map(|held| &held.value)
    }

    /// The number of rotations so far: the generation of the latest token.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// When the held token expires, by the monotonic clock as far as the wall
    /// clock is known; `None` when none is held or it never does.
    #[must_use]
    pub fn expires(&self) -> Option<Instant> {
        self.held.as_ref()?.end.map(Moment::monotonic)
    }

    fn start_request(&mut self) {
        let now = self.now.monotonic();
        if self.cycle.attempts == 0 {
            self.cycle.started = now;
        }
        if self.refresh.is_some() {
            self.cycle.reason = self.refresh.take();
        }
        let default = if self.generation == 0 {
            RequestReason::First
        } else {
            RequestReason::Renewal
        };
        let deadline = now + self.policy.request_timeout();
        let id = RequestId {
            number: self.next_request,
            attempt: self.cycle.attempts.saturating_add(1),
            reason: self.cycle.reason.unwrap_or(default),
            deadline,
        };
        self.next_request += 1;
        self.cycle.last_request = Some(now);
        self.phase = Phase::Requesting {
            id,
            started: now,
            deadline,
        };
        self.attempt_is_due();
        self.outputs.push_back(Output::Request(id));
    }

    fn completed(&mut self, id: RequestId, result: Result<Lease<T>, ProviderError>) {
        let Phase::Requesting {
            id: open, started, ..
        } = self.phase
        else {
            return;
        };
        if open != id {
            return;
        }
        match result {
            Ok(lease) if lease.is_over(self.now) => self.failed(ErrorKind::Expired.into()),
            Ok(lease) => self.succeeded(lease, started),
            Err(error) => self.failed(error),
        }
    }

    fn succeeded(&mut self, lease: Lease<T>, started: Instant) {
        let sample = self.random.f64();
        let now = self.now.monotonic();
        let lifetime = lease.end.map(|end| end.time_left(self.now));
        let latency = now.saturating_duration_since(started);
        let recovered = self.cycle.succeeded(now);
        let repeated = lease.unchanged && self.current().is_some();
        if !repeated {
            self.generation += 1;
        }
        let generation = self.generation;
        let by_policy = lifetime.map(|life| {
            if repeated {
                self.policy.unchanged_wait(life)
            } else {
                self.policy.refresh_wait(life, sample)
            }
        });
        let by_token = lease
            .refresh_in
            .map(|wait| wait.clamp(self.policy.min_refresh_interval(), FAR));
        let wait = [by_policy, by_token].into_iter().flatten().min();
        self.phase = match wait {
            Some(wait) => Phase::waiting(now + wait, Wait::Renewal),
            None => Phase::Idle,
        };
        self.held = Some(Held {
            value: lease.value.clone(),
            end: lease.end,
        });
        self.outputs.push_back(Output::Publish(Snapshot::Valid {
            value: lease.value,
            generation,
        }));
        self.outputs.extend(recovered.map(Output::Report));
        self.outputs.push_back(Output::Report(if repeated {
            Event::TokenUnchanged {
                generation,
                next_in: wait,
            }
        } else {
            Event::TokenRefreshed {
                generation,
                lifetime,
                latency,
            }
        }));
        // A refresh that was asked for during the request is done, unless a
        // server has refused this very token.
        let refused = RequestReason::Refused { generation };
        if self.refresh.take() == Some(refused) {
            self.refresh(refused);
        }
    }

    /// Starts the next attempt as early as the limits allow. Within a cycle its
    /// attempts go on being counted, so that an outage is reported however often
    /// a refresh is asked for.
    fn refresh(&mut self, reason: RequestReason) {
        // A refusal says more than a wish.
        let refused = |reason: &RequestReason| matches!(reason, RequestReason::Refused { .. });
        self.refresh = self.refresh.filter(refused).or(Some(reason));
        if !matches!(self.phase, Phase::Requesting { .. }) {
            self.hurry(self.now.monotonic());
            self.attempt_is_due();
        }
    }

    /// Waiting can help again, whatever the latest failure led to.
    fn attempt_is_due(&mut self) {
        let past = std::mem::replace(&mut self.cycle.outlook, Outlook::Retrying);
        if self.held.is_none() && past != Outlook::Retrying {
            self.publish_unavailable();
        }
    }

    fn set_needed(&mut self, needed: bool) {
        self.needed = needed;
        if let Phase::Waiting {
            wait: Wait::Outage { if_needed },
            ..
        } = self.phase
            && needed
        {
            self.hurry(if_needed);
        }
    }

    /// Moves the next attempt to `at`, or as near to it as the limits allow,
    /// where that is earlier than planned.
    pub(super) fn hurry(&mut self, at: Instant) {
        let wait = match self.phase {
            Phase::Requesting { .. } | Phase::Stopped => return,
            Phase::Waiting { wait, .. } => wait,
            Phase::Idle => Wait::Renewal,
        };
        let earliest = self
            .cycle
            .earliest_request(self.policy.min_refresh_interval());
        let at = at.max(earliest.unwrap_or(at)).max(self.now.monotonic());
        if self.phase.deadline().is_none_or(|planned| at < planned) {
            self.phase = Phase::waiting(at, wait);
        }
    }

    /// Notes the time. Where the wall clock has gone ahead of the monotonic one
    /// (a suspend, a step, drift), the token's end is that much nearer, and so is
    /// what was planned with regard to it. Retries and a server's `Retry-After`
    /// stay.
    fn read_clocks(&mut self, now: Moment) {
        let monotonic = self.now.monotonic().max(now.monotonic());
        self.now = Moment::new(monotonic, now.wall());
        let Some(end) = self.held.as_mut().and_then(|held| held.end.as_mut()) else {
            return;
        };
        let left = end.time_left(self.now);
        let planned = end.monotonic().saturating_duration_since(monotonic);
        let ahead = planned.saturating_sub(left);
        if ahead < CLOCK_TOLERANCE {
            return;
        }
        *end = Moment::new(monotonic + left, end.wall());
        if let Phase::Waiting {
            until,
            wait: Wait::Renewal | Wait::Outage { .. },
        } = self.phase
        {
            self.hurry(until.checked_sub(ahead).unwrap_or(monotonic));
        }
    }

    fn stop(&mut self) {
        if let Phase::Requesting { id, .. } = self.phase {
            self.outputs.push_back(Output::Cancel(id));
        }
        self.phase = Phase::Stopped;
        self.held = None;
        self.outputs.push_back(Output::Publish(Snapshot::Stopped));
        self.outputs.push_back(Output::Report(Event::Stopped));
    }

    /// Does all that is due. A hung request comes first: when a token expires, it
    /// may be the reason.
    fn run_timers(&mut self) {
        if let Phase::Requesting { id, deadline, .. } = self.phase
            && deadline <= self.now.monotonic()
        {
            self.outputs.push_back(Output::Cancel(id));
            self.failed(ErrorKind::Timeout.into());
        }
        let now = self.now;
        if self.held.as_ref().is_some_and(|held| held.is_over(now)) {
            self.held = None;
            self.cycle.down_since = Some(now.monotonic());
            let generation = self.generation;
            self.publish_unavailable();
            self.outputs
                .push_back(Output::Report(Event::TokenExpired { generation }));
        }
        if let Phase::Waiting { until, wait } = self.phase
            && until <= self.now.monotonic()
        {
            if matches!(wait, Wait::Renewal) {
                self.cycle.begin();
            }
            self.start_request();
        }
    }
}
