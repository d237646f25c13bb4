//! The token manager as a pure state machine: no clock, no timer, no task.
//!
//! # How it is driven
//! One sentence: **hand in an input, drain the outputs, then read the
//! timeout**, and do that again when something has happened or the timeout
//! has come.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::{Duration, Instant};
//! use redis_authx::machine::{Input, Lease, Machine, Output};
//! use redis_authx::{ExponentialBackoff, RefreshPolicy};
//!
//! # #[allow(clippy::disallowed_methods)]
//! let start = Instant::now();
//! let retry = Arc::new(ExponentialBackoff::default());
//! let mut machine = Machine::new(RefreshPolicy::default(), retry, 7, start);
//!
//! // It begins by asking for a request …
//! let Some(Output::Request(id)) = machine.poll_output() else { panic!() };
//! // … the answer is an input …
//! let lease = Lease::new("token", Some(Duration::from_secs(3600)));
//! machine.handle_input(start, Input::Completed { id, result: Ok(lease) });
//! while let Some(output) = machine.poll_output() {
//!     // … which leads to outputs: here, the token is published.
//!     let _ = output;
//! }
//! // Nothing more to do until the renewal, within the hour.
//! let renewal = machine.poll_timeout().unwrap();
//! assert!(renewal - start <= Duration::from_secs(2700));
//! ```
//!
//! `now` is an argument of every call, and never decreases: an earlier time
//! is taken as the latest one seen. Inputs that come late, twice or for
//! nothing are harmless.

mod cycle;
mod io;
mod phase;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use io::{Input, Lease, Output, RequestId, Snapshot};

use crate::policy::FAR;
use crate::{ErrorKind, Event, ProviderError, RefreshPolicy, RetryPolicy};
use cycle::Cycle;
use phase::{Held, Phase, Wait};

/// The token manager's logic. Generic over the payload, so that it can't print
/// a secret it can't see.
#[derive(Debug)]
pub struct Machine<T> {
    policy: RefreshPolicy,
    retry: Arc<dyn RetryPolicy>,
    random: fastrand::Rng,
    now: Instant,
    phase: Phase,
    held: Option<Held<T>>,
    generation: u64,
    cycle: Cycle,
    next_request: u64,
    outputs: VecDeque<Output<T>>,
}

impl<T: Clone> Machine<T> {
    /// A machine whose first output is a request. `seed` decides all its
    /// random choices: the same inputs lead to the same outputs.
    pub fn new(
        policy: RefreshPolicy,
        retry: Arc<dyn RetryPolicy>,
        seed: u64,
        now: Instant,
    ) -> Self {
        let mut machine = Self {
            policy,
            retry,
            random: fastrand::Rng::with_seed(seed),
            now,
            phase: Phase::Idle,
            held: None,
            generation: 0,
            cycle: Cycle::new(now),
            next_request: 1,
            outputs: VecDeque::new(),
        };
        machine.start_request();
        machine
    }

    /// Takes an input at `now`. Infallible: what comes late or for nothing
    /// changes nothing.
    pub fn handle_input(&mut self, now: Instant, input: Input<T>) {
        self.now = self.now.max(now);
        if matches!(self.phase, Phase::Stopped) {
            return;
        }
        match input {
            Input::Completed { id, result } => self.completed(id, result),
            Input::ClockStepped { forward } => self.clock_stepped(forward),
            Input::Refresh => self.refresh(),
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
        let expiry = self.held.as_ref().and_then(|held| held.expires);
        [self.phase.deadline(), expiry].into_iter().flatten().min()
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

    /// When the held token expires; `None` when none is held or it never does.
    #[must_use]
    pub fn expires(&self) -> Option<Instant> {
        self.held.as_ref().and_then(|held| held.expires)
    }

    fn start_request(&mut self) {
        let id = RequestId {
            number: self.next_request,
            attempt: self.cycle.attempts.saturating_add(1),
        };
        self.next_request += 1;
        if self.cycle.attempts == 0 {
            self.cycle.started = self.now;
        }
        self.cycle.last_request = Some(self.now);
        self.phase = Phase::Requesting {
            id,
            started: self.now,
            deadline: self.now + self.policy.request_timeout(),
        };
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
            Ok(lease) if lease.is_over() => self.failed(ErrorKind::Expired.into()),
            Ok(lease) => self.succeeded(lease, started),
            Err(error) => self.failed(error),
        }
    }

    fn succeeded(&mut self, lease: Lease<T>, started: Instant) {
        let sample = self.random.f64();
        let lifetime = lease.lifetime.map(|life| life.min(FAR));
        let latency = self.now.saturating_duration_since(started);
        let recovered = self.cycle.succeeded(self.now);
        let repeated = lease.unchanged && self.held.is_some();
        if !repeated {
            self.generation += 1;
        }
        let generation = self.generation;
        let wait = lifetime.map(|life| {
            if repeated {
                self.policy.unchanged_wait(life)
            } else {
                self.policy.refresh_wait(life, sample)
            }
        });
        self.phase = match wait {
            Some(wait) => Phase::waiting(self.now + wait, Wait::Renewal),
            None => Phase::Idle,
        };
        self.held = Some(Held {
            value: lease.value.clone(),
            expires: lifetime.map(|life| self.now + life),
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
    }

    /// Within a cycle it hurries the next attempt; the attempts go on being
    /// counted, so that an outage is told of however often someone asks.
    fn refresh(&mut self) {
        let wait = match self.phase {
            Phase::Requesting { .. } | Phase::Stopped => return,
            Phase::Waiting {
                wait: Wait::Retry, ..
            } => Wait::Retry,
            Phase::Idle | Phase::Waiting { .. } => Wait::Renewal,
        };
        let at = self.cycle.earliest_request(self.policy.min_interval());
        let at = at.map_or(self.now, |at| at.max(self.now));
        if self.phase.deadline().is_none_or(|planned| at < planned) {
            self.phase = Phase::waiting(at, wait);
        }
    }

    /// The wall clock ran ahead of the monotonic one: what was planned for a
    /// wall-clock time is that much nearer. The minimum interval and a server's
    /// own wish are still kept.
    fn clock_stepped(&mut self, forward: Duration) {
        let now = self.now;
        let sooner = |at: Instant| at.checked_sub(forward).map_or(now, |at| at.max(now));
        let Some(held) = &mut self.held else { return };
        let Some(expires) = held.expires.map(sooner) else {
            return;
        };
        held.expires = Some(expires);
        let Phase::Waiting { until, wait } = self.phase else {
            return;
        };
        let planned = match wait {
            Wait::Renewal => sooner(until),
            // The outage that it waited out lies in the past of a machine
            // that slept.
            Wait::CoolDown { fatal: false } if expires <= now => now,
            Wait::Retry | Wait::CoolDown { .. } => return,
        };
        let earliest = self.cycle.earliest_request(self.policy.min_interval());
        let planned = earliest.map_or(planned, |earliest| earliest.max(planned));
        self.phase = Phase::waiting(planned.min(until), wait);
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

    /// Does all that is due. The hung request comes first, so that the expiry
    /// of a token can be blamed on it.
    fn run_timers(&mut self) {
        if let Phase::Requesting { id, deadline, .. } = self.phase
            && deadline <= self.now
        {
            self.outputs.push_back(Output::Cancel(id));
            self.failed(ErrorKind::Timeout.into());
        }
        if self
            .held
            .as_ref()
            .is_some_and(|held| held.is_over(self.now))
        {
            self.held = None;
            let generation = self.generation;
            self.outputs
                .push_back(Output::Publish(self.cycle.unavailable()));
            self.outputs
                .push_back(Output::Report(Event::TokenExpired { generation }));
        }
        if let Phase::Waiting { until, wait } = self.phase
            && until <= self.now
        {
            if !matches!(wait, Wait::Retry) {
                self.cycle.attempts = 0;
            }
            self.start_request();
        }
    }
}
