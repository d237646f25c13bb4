//! Seeded random walks: whatever happens in whatever order, the rules hold.
//!
//! A failing walk prints its seed; `WALK=seed cargo test -p redis-authx walk`
//! repeats it alone.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;

use super::*;
use crate::policy::LONGEST_RETRY_AFTER;
use crate::{ExponentialBackoff, OnExhausted};

const WALKS: u64 = 20_000;
const STEPS: usize = 200;

#[test]
fn random_walks_keep_every_rule() {
    if let Ok(seed) = std::env::var("WALK") {
        Walk::new(seed.parse().unwrap()).run();
        return;
    }
    for seed in 0..WALKS {
        let walk = catch_unwind(AssertUnwindSafe(|| Walk::new(seed).run()));
        if let Err(panic) = walk {
            eprintln!("repeat it with: WALK={seed} cargo test -p redis-authx walk");
            resume_unwind(panic);
        }
    }
}

/// A machine, and what it must look like from outside.
struct Walk {
    random: Rng,
    machine: Machine<u64>,
    /// In some walks: one with the same seed, given the same inputs.
    twin: Option<Machine<u64>>,
    policy: RefreshPolicy,
    now: Instant,
    open: Option<RequestId>,
    closed: Option<RequestId>,
    held: Option<(u64, Option<Instant>)>,
    next_value: u64,
    generation: u64,
    last_success: Option<Instant>,
    hold_off: Option<Instant>,
    stopped: bool,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let policy = policy(&mut random);
        let retry = Arc::new(retry(&mut random));
        #[allow(clippy::disallowed_methods)] // any instant will do
        let now = Instant::now();
        let machine = || {
            let retry = Arc::<ExponentialBackoff>::clone(&retry);
            Machine::new(policy.clone(), retry, seed, now)
        };
        Self {
            machine: machine(),
            twin: seed.is_multiple_of(8).then(machine),
            policy: policy.clone(),
            random,
            now,
            open: None,
            closed: None,
            held: None,
            next_value: 1,
            generation: 0,
            last_success: None,
            hold_off: None,
            stopped: false,
        }
    }

    fn run(mut self) {
        self.check();
        for _ in 0..STEPS {
            if self.step().is_break() {
                self.stopped = true;
            }
            self.check();
        }
    }

    fn step(&mut self) -> ControlFlow<()> {
        match self.random.u32(0..100) {
            0..45 => {
                // Time moves to the timeout, or not quite, or beyond.
                if let Some(at) = self.machine.poll_timeout() {
                    let early = Duration::from_millis(self.random.u64(0..3));
                    let late = Duration::from_millis(self.random.u64(0..1000).saturating_sub(900));
                    self.now = self.now.max(at - early) + late;
                }
                self.input(Input::Timeout, Input::Timeout);
            }
            45..75 => self.answer(),
            75..82 => {
                self.now += Duration::from_millis(self.random.u64(0..5000));
                self.input(Input::Timeout, Input::Timeout);
            }
            82..90 => self.input(Input::Refresh, Input::Refresh),
            90..94 => {
                if let Some(id) = self.closed {
                    let late = |value| Input::Completed {
                        id,
                        result: Ok(Lease::new(value, None)),
                    };
                    self.input(late(u64::MAX), late(u64::MAX));
                }
            }
            94..98 => {
                let forward = Duration::from_secs(self.random.u64(2..5000));
                if let Some((_, Some(expires))) = &mut self.held {
                    *expires = expires.checked_sub(forward).unwrap_or(self.now);
                }
                self.input(
                    Input::ClockStepped { forward },
                    Input::ClockStepped { forward },
                );
            }
            98 => {
                // An earlier time than before is taken as the latest.
                let now = self.now;
                self.now = now.checked_sub(Duration::from_secs(5)).unwrap_or(now);
                self.input(Input::Timeout, Input::Timeout);
                self.now = now;
            }
            _ => {
                if self.random.u32(0..10) == 0 {
                    self.input(Input::Stop, Input::Stop);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Answers the open request, if there is one.
    fn answer(&mut self) {
        let Some(id) = self.open.take() else { return };
        self.closed = Some(id);
        self.now += Duration::from_millis(self.random.u64(0..50));
        if self.random.u32(0..3) == 0 {
            let error = self.error();
            self.hold_off = error
                .retry_after()
                .map(|wait| self.now + wait.min(LONGEST_RETRY_AFTER));
            let failed = |error| Input::Completed {
                id,
                result: Err(error),
            };
            return self.input(failed(error.clone()), failed(error));
        }
        let valid = self.machine.current().copied();
        let unchanged = self.random.u32(0..4) == 0 && valid.is_some();
        let value = if unchanged {
            valid.unwrap()
        } else {
            self.next_value
        };
        let lifetime = match self.random.u32(0..12) {
            0 => None,
            1 => Some(Duration::ZERO),
            2 => Some(Duration::from_nanos(1)),
            3 => Some(Duration::MAX),
            4 => Some(Duration::from_millis(self.random.u64(1..2000))),
            _ => Some(Duration::from_secs(self.random.u64(1..7200))),
        };
        if lifetime.is_none_or(|life| !life.is_zero()) {
            self.next_value += 1;
            self.generation += u64::from(!unchanged);
            let expires = lifetime.map(|life| self.now + life.min(FAR));
            self.held = Some((value, expires));
            self.last_success = Some(self.now);
        }
        self.hold_off = None;
        let succeeded = || Input::Completed {
            id,
            result: Ok(Lease::new(value, lifetime).unchanged(unchanged)),
        };
        self.input(succeeded(), succeeded());
    }

    fn error(&mut self) -> ProviderError {
        let kinds = [
            ErrorKind::Unavailable,
            ErrorKind::Rejected,
            ErrorKind::Throttled,
        ];
        let error = ProviderError::new(kinds[self.random.usize(0..3)]);
        match self.random.u32(0..8) {
            0 => error.with_retry_after(Duration::MAX),
            1 => error.with_retry_after(Duration::from_millis(self.random.u64(0..60_000))),
            _ => error,
        }
    }

    fn input(&mut self, input: Input<u64>, same: Input<u64>) {
        self.machine.handle_input(self.now, input);
        if let Some(twin) = &mut self.twin {
            twin.handle_input(self.now, same);
        }
    }

    /// What must hold after every input.
    fn check(&mut self) {
        let expired = self
            .held
            .is_some_and(|(_, expires)| expires.is_some_and(|expires| expires <= self.now));
        if expired || self.stopped {
            self.held = None;
        }
        while let Some(output) = self.machine.poll_output() {
            if let Some(twin) = &mut self.twin {
                let same = twin.poll_output();
                assert_eq!(format!("{same:?}"), format!("{:?}", Some(&output)));
            }
            self.check_output(output);
        }
        assert_eq!(
            self.machine.current().copied(),
            self.held.map(|(value, _)| value),
            "withdrawn, or held past its end"
        );
        assert_eq!(self.machine.generation(), self.generation);
        assert_eq!(self.machine.is_stopped(), self.stopped);
        match self.machine.poll_timeout() {
            Some(at) => assert!(at > self.now && !self.stopped, "a timeout that is due"),
            None => {
                let for_ever = self.held.is_some_and(|(_, expires)| expires.is_none());
                let gives_up = self.policy.on_exhausted() == OnExhausted::Stop;
                assert!(self.stopped || for_ever || gives_up, "nothing will happen");
            }
        }
    }

    fn check_output(&mut self, output: Output<u64>) {
        match output {
            Output::Request(id) => {
                assert!(!self.stopped, "a request after stop");
                assert_eq!(self.open.replace(id), None, "two requests open");
                let apart = self
                    .last_success
                    .is_none_or(|at| at + self.policy.min_interval() <= self.now);
                assert!(apart, "inside the minimum interval");
                let allowed = self.hold_off.is_none_or(|until| until <= self.now);
                assert!(allowed, "against a Retry-After");
            }
            Output::Cancel(id) => {
                assert_eq!(self.open.take(), Some(id), "a request that is not open");
                self.closed = Some(id);
                self.hold_off = None;
            }
            Output::Publish(Snapshot::Valid { value, generation }) => {
                assert_eq!(generation, self.generation);
                assert!(value < self.next_value, "an answer that came too late");
            }
            Output::Publish(Snapshot::Stopped) => assert!(self.stopped),
            Output::Publish(Snapshot::Pending | Snapshot::Unavailable(_)) => {
                assert_eq!(self.held, None, "a valid token is withdrawn");
            }
            Output::Report(_) => {}
        }
    }
}

fn policy(random: &mut Rng) -> RefreshPolicy {
    let on_exhausted = match random.u32(0..4) {
        0 => OnExhausted::Stop,
        _ => OnExhausted::CoolDown,
    };
    RefreshPolicy::builder()
        .expiration_refresh_ratio([0.0, 0.5, 0.75, 1.0][random.usize(0..4)])
        .lower_bound(Duration::from_secs(random.u64(0..600)))
        .refresh_jitter(random.f64())
        .min_interval(Duration::from_millis(random.u64(1..3000)))
        .request_timeout(Duration::from_millis(random.u64(1..20_000)))
        .cool_down(Duration::from_millis(random.u64(1..60_000)))
        .on_exhausted(on_exhausted)
        .build()
        .unwrap()
}

fn retry(random: &mut Rng) -> ExponentialBackoff {
    ExponentialBackoff::builder()
        .max_attempts(random.u32(1..6))
        .initial_delay(Duration::from_millis(random.u64(0..500)))
        .backoff_multiplier(1.0 + random.f64() * 3.0)
        .jitter(random.f64())
        .build()
        .unwrap()
}
