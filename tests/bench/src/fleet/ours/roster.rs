//! Who re-authenticates when: the rules of `redis-authx-session`.

use std::collections::VecDeque;

use redis_authx::ExponentialBackoff;

use super::entry::{Entry, Plan};
use crate::fleet::options::Options;
use crate::fleet::queue::Event;
use crate::fleet::server::{Outcome, Purpose};
use crate::fleet::simulation::Ended;
use crate::fleet::time::{MILLI, Nanos, SECOND, nanos};
use crate::fleet::world::{Token, World};

// The defaults that `ReauthPolicyBuilder` documents.
const STAGGER: f64 = 0.25;
const REPLACE_AFTER: f64 = 0.75;
const MAX_IN_FLIGHT: u32 = 64;
const AUTH_TIMEOUT: Nanos = 5 * SECOND;
const REPLACE_TIMEOUT: Nanos = 10 * SECOND;

/// The connections of all processes.
pub(super) struct Roster {
    entries: Vec<Entry>,
    processes: Vec<Process>,
    backoff: ExponentialBackoff,
}

#[derive(Clone, Default)]
struct Process {
    /// The token in hand; without one, nothing is tried.
    token: Option<Token>,
    running: u32,
    /// Due, and held back by the limit.
    waiting: VecDeque<u32>,
    /// The latest generation that a fresh token was asked for instead of.
    asked: u32,
}

impl Roster {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            entries: vec![Entry::NEW; options.links() as usize],
            processes: vec![Process::default(); options.processes as usize],
            backoff: crate::fleet::reconnecting(),
        }
    }

    /// There is a new token: spreads the AUTHs of those who need it.
    pub(super) fn rotated(&mut self, world: &mut World, process: u32, token: Token) {
        self.processes[process as usize].token = Some(token);
        let needs = |link: &u32| {
            let entry = &self.entries[*link as usize];
            let older = entry.token.generation < token.generation;
            entry.plan != Plan::Running && (entry.lost || older)
        };
        let due: Vec<u32> = world.links_of(process).filter(needs).collect();
        for (place, link) in due.iter().enumerate() {
            let entry = &mut self.entries[*link as usize];
            entry.begin(world.now, REPLACE_AFTER);
            let window = if entry.lost {
                0.0
            } else {
                entry.time_left(world.now) as f64 * STAGGER
            };
            let wait = window * place as f64 / due.len() as f64;
            self.schedule(world, *link, world.now + wait as Nanos);
        }
    }

    pub(super) fn withdrawn(&mut self, process: u32) {
        self.processes[process as usize].token = None;
    }

    /// Starts what is due, as far as the limit allows.
    pub(super) fn due(&mut self, world: &mut World, link: u32) {
        if self.entries[link as usize].plan != Plan::Due(world.now) {
            return;
        }
        let process = &mut self.processes[world.process_of(link) as usize];
        if process.token.is_some() && process.running >= MAX_IN_FLIGHT {
            process.waiting.push_back(link);
        } else {
            self.start(world, link);
        }
    }

    fn start(&mut self, world: &mut World, link: u32) {
        let process = &mut self.processes[world.process_of(link) as usize];
        let Some(token) = process.token else {
            return;
        };
        process.running += 1;
        let entry = &mut self.entries[link as usize];
        entry.plan = Plan::Running;
        let purpose = entry.purpose(world.now);
        let limit = match purpose {
            Purpose::Login => REPLACE_TIMEOUT,
            Purpose::Renewal => AUTH_TIMEOUT.min(entry.replace_from - world.now),
        };
        let once = purpose == Purpose::Login || entry.token.generation < token.generation;
        world.checks.hold(once, "a second AUTH for one rotation");
        world.authenticate(link, purpose, token, limit);
    }

    /// Whether a fresh token is to be asked for.
    pub(super) fn ended(&mut self, world: &mut World, link: u32, ended: Ended) -> bool {
        let process = &mut self.processes[world.process_of(link) as usize];
        process.running -= 1;
        let entry = &mut self.entries[link as usize];
        entry.plan = Plan::Settled;
        let mut ask = false;
        if ended.outcome == Outcome::Done {
            entry.succeeded(world.now, ended.purpose, ended.token);
            let newer = |token: Token| token.generation > ended.token.generation;
            if entry.lost || process.token.is_some_and(newer) {
                entry.begin(world.now, REPLACE_AFTER);
                self.schedule(world, link, world.now);
            }
        } else {
            let generation = ended.token.generation;
            ask = ended.outcome == Outcome::Refused && process.asked < generation;
            if ask {
                process.asked = generation;
            }
            self.retry(world, link, ended);
        }
        self.start_waiting(world, link);
        ask
    }

    fn retry(&mut self, world: &mut World, link: u32, ended: Ended) {
        let sample = world.random.f64();
        let entry = &mut self.entries[link as usize];
        entry.failed(ended.outcome);
        let delay = match entry.attempts {
            0 => MILLI,
            attempts => nanos(self.backoff.jittered_delay(attempts, sample)).max(MILLI),
        };
        let at = world.now + delay;
        let at = match ended.purpose {
            Purpose::Renewal => at.min(entry.replace_from.max(world.now + MILLI)),
            Purpose::Login => at,
        };
        self.schedule(world, link, at);
    }

    /// One has ended: there is room for another of the same process.
    fn start_waiting(&mut self, world: &mut World, ended: u32) {
        let process = &mut self.processes[world.process_of(ended) as usize];
        while let Some(link) = process.waiting.pop_front() {
            let planned = self.entries[link as usize].plan;
            if matches!(planned, Plan::Due(at) if at <= world.now) {
                return self.start(world, link);
            }
        }
    }

    /// The server has closed it.
    pub(super) fn lost(&mut self, world: &mut World, link: u32) {
        let sample = world.random.f64();
        let entry = &mut self.entries[link as usize];
        if entry.lost {
            return;
        }
        let delay = match entry.closed(world.now) {
            0 => 0,
            relapses => nanos(self.backoff.jittered_delay(relapses, sample)),
        };
        self.schedule(world, link, world.now + delay);
    }

    fn schedule(&mut self, world: &mut World, link: u32, at: Nanos) {
        let entry = &mut self.entries[link as usize];
        if entry.plan != Plan::Running {
            entry.plan = Plan::Due(at);
            world.queue.add(at, Event::Due(link));
        }
    }

    /// Nobody is forgotten: whoever is not up to date has a plan.
    pub(super) fn check(&self, world: &mut World) {
        for (entry, link) in self.entries.iter().zip(0..) {
            let process = &self.processes[world.process_of(link) as usize];
            let settled = entry.plan == Plan::Settled;
            let current = process
                .token
                .is_none_or(|token| !entry.lost && entry.token.generation == token.generation);
            world
                .checks
                .hold(!settled || current, "a connection was forgotten");
            let agreed = entry.lost || entry.plan == Plan::Running || world.is_open(link);
            world
                .checks
                .hold(agreed, "client and server disagree on a connection");
        }
        let limited = self.processes.iter().all(|it| it.running <= MAX_IN_FLIGHT);
        world.checks.hold(limited, "more in flight than allowed");
    }
}
