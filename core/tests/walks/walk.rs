use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use redis_authx::machine::{Input, Lease, Machine, RequestId};
use redis_authx::testing::ManualClock;
use redis_authx::{Clock, ErrorKind, Moment, ProviderError, RequestReason};

use crate::choices::Choices;
use crate::model::Model;
use crate::seen::Seen;
use crate::settings::Settings;

/// A machine to which one thing after another happens.
pub(crate) struct Walk<'a, C> {
    choices: &'a mut C,
    machine: Machine<u64>,
    /// In some walks: one with the same seed, given the same inputs.
    twin: Option<Machine<u64>>,
    model: Model,
    now: Instant,
    wall: SystemTime,
    /// The latest time that the machine was given.
    latest: Instant,
    next_value: u64,
}

impl<'a, C: Choices> Walk<'a, C> {
    pub(crate) fn new(choices: &'a mut C) -> Self {
        let settings = Settings::new(choices);
        let clock = ManualClock::new();
        let (now, wall) = (clock.now(), clock.wall());
        let seed = choices.below(u64::MAX);
        let machine = || {
            Machine::new(
                settings.policy.clone(),
                Arc::clone(&settings.retry),
                seed,
                Moment::new(now, wall),
            )
        };
        Self {
            machine: machine(),
            twin: choices.one_in(32).then(machine),
            model: Model::new(settings, now),
            choices,
            now,
            wall,
            latest: now,
            next_value: 1,
        }
    }

    /// At most so many steps; returns what happened in them.
    pub(crate) fn run(mut self, steps: usize) -> Seen {
        self.check();
        for _ in 0..steps {
            if self.choices.are_spent() {
                break;
            }
            self.step();
            self.check();
        }
        self.model.seen()
    }

    fn step(&mut self) {
        match self.choices.below(100) {
            0..45 => self.until_the_timeout(),
            45..75 => self.answer(),
            75..81 => self.pass(5000),
            81 => self.pass(1_000_000_000),
            82..88 => {
                let reason = self.reason();
                self.model.refresh();
                self.input(|| Input::Refresh(reason));
            }
            88..90 => {
                let needed = self.choices.one_in(2);
                self.input(|| Input::Needed(needed));
            }
            90..94 => self.answer_late(),
            94..98 => {
                let by = self.choices.duration();
                let stepped = if self.choices.one_in(4) {
                    self.wall
                        .checked_sub(by.min(Duration::from_secs(1_000_000)))
                } else {
                    self.wall.checked_add(by)
                };
                self.wall = stepped.unwrap_or(self.wall);
                self.input(|| Input::Timeout);
            }
            98 => self.input(|| Input::Timeout),
            _ if self.choices.one_in(5) => {
                self.model.stop();
                self.input(|| Input::Stop);
            }
            _ => {}
        }
    }

    /// Time moves to the timeout, or not quite, or beyond.
    fn until_the_timeout(&mut self) {
        if let Some(at) = self.machine.poll_timeout() {
            let early = self.choices.millis(3);
            let late = self
                .choices
                .millis(1000)
                .saturating_sub(Duration::from_millis(900));
            let by = (at - early).saturating_duration_since(self.now) + late;
            self.pass_by(by);
        }
        self.input(|| Input::Timeout);
    }

    fn pass(&mut self, millis: u64) {
        let by = self.choices.millis(millis);
        self.pass_by(by);
        self.input(|| Input::Timeout);
    }

    /// Both clocks advance.
    fn pass_by(&mut self, by: Duration) {
        self.now += by;
        self.wall = self.wall.checked_add(by).unwrap_or(self.wall);
    }

    fn reason(&mut self) -> RequestReason {
        if self.choices.one_in(2) {
            return RequestReason::Asked;
        }
        let generation = self.machine.generation();
        RequestReason::Refused { generation }
    }

    /// Answers the open request, if there is one.
    fn answer(&mut self) {
        let Some(id) = self.model.open() else { return };
        let by = self.choices.millis(50);
        self.pass_by(by);
        if self.choices.one_in(3) {
            let error = self.error();
            self.model.failed(self.now, &error);
            return self.input(|| Input::Completed {
                id,
                result: Err(error.clone()),
            });
        }
        let held = self.model.held().filter(|_| self.choices.one_in(4));
        let unchanged = held.is_some();
        let value = held.unwrap_or(self.next_value);
        self.next_value += 1;
        let lifetime = match self.choices.below(12) {
            0 => None,
            1 => Some(Duration::ZERO),
            2..5 => Some(self.choices.duration()),
            _ => Some(Duration::from_secs(1 + self.choices.below(7200))),
        };
        self.model
            .succeeded(self.now, self.wall, value, lifetime, unchanged);
        self.complete(id, value, lifetime, unchanged);
    }

    /// Answers a request that has been answered or cancelled: for nothing.
    fn answer_late(&mut self) {
        let Some(id) = self.model.closed() else {
            return;
        };
        let value = self.next_value;
        self.next_value += 1;
        self.complete(id, value, None, false);
    }

    fn complete(&mut self, id: RequestId, value: u64, lifetime: Option<Duration>, same: bool) {
        let now = Moment::new(self.now, self.wall);
        let end = lifetime.map(|life| now.after(life));
        self.input(|| Input::Completed {
            id,
            result: Ok(Lease::new(value, end).unchanged(same)),
        });
    }

    fn error(&mut self) -> ProviderError {
        let kinds = [
            ErrorKind::Unavailable,
            ErrorKind::Rejected,
            ErrorKind::Throttled,
        ];
        let error = ProviderError::new(self.choices.of(&kinds));
        if self.choices.one_in(4) {
            return error.with_retry_after(self.choices.duration());
        }
        error
    }

    fn input(&mut self, input: impl Fn() -> Input<u64>) {
        let now = Moment::new(self.now_as_given(), self.wall);
        self.machine.handle_input(now, input());
        if let Some(twin) = &mut self.twin {
            twin.handle_input(now, input());
        }
        self.latest = self.now;
    }

    /// Sometimes earlier than it has been: to be taken as the latest.
    fn now_as_given(&mut self) -> Instant {
        let back = self.now == self.latest && self.choices.one_in(8);
        let back = Duration::from_secs(if back { 5 } else { 0 });
        self.now.checked_sub(back).unwrap_or(self.now)
    }

    /// What must hold after every step.
    fn check(&mut self) {
        self.model.at(self.now, self.wall);
        while let Some(output) = self.machine.poll_output() {
            if let Some(twin) = &mut self.twin {
                let same = twin.poll_output();
                assert_eq!(format!("{same:?}"), format!("{:?}", Some(&output)));
            }
            self.model.output(output);
        }
        self.model.drained(&self.machine);
    }
}
