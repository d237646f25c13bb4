//! Our rules. Tokens: the real [`Machine`], one for each process, with its
//! default policies. Connections: the [`roster`], modelled after the documented
//! defaults of `ReauthPolicy`, since the real one is private.

mod entry;
mod roster;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use redis_authx::machine::{Input, Lease, Machine, Output, RequestId, Snapshot};
use redis_authx::{
    ErrorKind, ExponentialBackoff, Moment, ProviderError, RefreshPolicy, RequestReason, RetryPolicy,
};

use super::identity::Answer;
use super::options::Options;
use super::queue::Event;
use super::simulation::{Ended, Side};
use super::time::{Nanos, nanos};
use super::world::{Token, World};
use roster::Roster;

pub(super) struct Ours {
    /// What simulated time counts from; any instant will do.
    zero: Moment,
    policy: RefreshPolicy,
    retry: Arc<dyn RetryPolicy>,
    processes: Vec<Option<Process>>,
    roster: Roster,
}

struct Process {
    machine: Machine<()>,
    requests: u32,
    /// The request under way.
    open: Option<(u32, RequestId)>,
    /// When its answer will be there: a timer after that need not be set.
    answer: Nanos,
    /// The timer that is set; it may be too early, never too late.
    wake: Nanos,
}

impl Ours {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            zero: Moment::new(Instant::now(), SystemTime::UNIX_EPOCH),
            policy: RefreshPolicy::default(),
            retry: Arc::new(ExponentialBackoff::default()),
            processes: (0..options.processes).map(|_| None).collect(),
            roster: Roster::new(options),
        }
    }

    /// Input, outputs, timeout: as a driver does.
    fn drive(&mut self, world: &mut World, process: u32, input: Option<Input<()>>) {
        let Some(this) = &mut self.processes[process as usize] else {
            return;
        };
        if let Some(input) = input {
            let now = self.zero.after(Duration::from_nanos(world.now));
            this.machine.handle_input(now, input);
        }
        while let Some(output) = this.machine.poll_output() {
            match output {
                Output::Cancel(_) => this.open = None,
                Output::Publish(Snapshot::Valid { generation, .. }) => {
                    let expires = this.machine.expires().map_or(world.end, |at| {
                        nanos(at.saturating_duration_since(self.zero.monotonic()))
                    });
                    let generation = u32::try_from(generation).unwrap_or(u32::MAX);
                    let token = Token {
                        generation,
                        expires,
                    };
                    world.received(process, expires);
                    self.roster.rotated(world, process, token);
                }
                Output::Publish(_) => self.roster.withdrawn(process),
                Output::Request(id) => {
                    this.requests += 1;
                    let second = this.open.replace((this.requests, id)).is_some();
                    world.checks.hold(!second, "two token requests at once");
                    this.answer = world.ask(process, this.requests);
                }
                _ => {}
            }
        }
        if let Some(at) = this.machine.poll_timeout() {
            let at = nanos(at.saturating_duration_since(self.zero.monotonic()));
            world.checks.hold(at > world.now, "a timeout that is due");
            let answered = this.open.is_some() && this.answer <= at;
            if !answered && (at < this.wake || this.wake <= world.now) {
                this.wake = at;
                world.queue.add(at, Event::Wake(process));
            }
        }
    }
}

impl Side for Ours {
    fn start(&mut self, world: &mut World, process: u32) {
        let now = self.zero.after(Duration::from_nanos(world.now));
        let seed = world.random.u64(..);
        let machine = Machine::new(self.policy.clone(), Arc::clone(&self.retry), seed, now);
        self.processes[process as usize] = Some(Process {
            machine,
            requests: 0,
            open: None,
            answer: 0,
            wake: 0,
        });
        self.drive(world, process, None);
    }

    fn wake(&mut self, world: &mut World, process: u32) {
        let set = self.processes[process as usize]
            .as_ref()
            .map(|process| process.wake);
        if set == Some(world.now) {
            self.drive(world, process, Some(Input::Timeout));
        }
    }

    fn answered(&mut self, world: &mut World, process: u32, request: u32, answer: Answer) -> bool {
        let open = self.processes[process as usize]
            .as_mut()
            .and_then(|process| process.open.take_if(|(number, _)| *number == request));
        let Some((_, id)) = open else {
            return false;
        };
        let result = match answer {
            Answer::Down => Err(ErrorKind::Unavailable.into()),
            Answer::Throttled => {
                let wait = Duration::from_nanos(world.retry_after);
                Err(ProviderError::new(ErrorKind::Throttled).with_retry_after(wait))
            }
            Answer::Token { life } => {
                let life = Duration::from_nanos(world.now) + Duration::from_millis(life.into());
                Ok(Lease::new((), Some(self.zero.after(life))))
            }
        };
        self.drive(world, process, Some(Input::Completed { id, result }));
        true
    }

    fn due(&mut self, world: &mut World, link: u32) {
        self.roster.due(world, link);
    }

    fn ended(&mut self, world: &mut World, link: u32, ended: Ended) {
        if self.roster.ended(world, link, ended) {
            let process = world.process_of(link);
            self.drive(world, process, Some(Input::Refresh(RequestReason::Asked)));
        }
    }

    fn lost(&mut self, world: &mut World, link: u32) {
        self.roster.lost(world, link);
    }

    fn without_renewal(&self) -> u64 {
        let ended = |process: &&Process| process.machine.poll_timeout().is_none();
        self.processes.iter().flatten().filter(ended).count() as u64
    }

    fn check(&self, world: &mut World) {
        for (process, number) in self.processes.iter().zip(0..) {
            let holds = process.as_ref().is_some_and(|process| {
                // At the very end a timeout may be due.
                process.machine.current().is_some()
                    && process.machine.expires().is_none_or(|at| {
                        at > self.zero.monotonic() + Duration::from_nanos(world.end)
                    })
            });
            let agreed = holds == world.holds_valid(number);
            world
                .checks
                .hold(agreed, "a token is held past its end, or withdrawn before");
        }
        self.roster.check(world);
    }
}
