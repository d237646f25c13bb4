//! The roster by itself: seeded random walks, and what a session can't show.
//!
//! A failing walk prints its seed; `WALK=seed cargo test -p redis-authx roster`
//! repeats it alone.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;

use super::*;

const WALKS: u64 = 2000;
const STEPS: usize = 300;

fn start() -> Instant {
    #[allow(clippy::disallowed_methods)] // any instant will do
    Instant::now()
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn roster() -> Roster<()> {
    Roster::new(ReauthPolicy::default(), Rng::with_seed(7))
}

/// A log-in that ends at `ends`, with the token.
const fn grant(generation: u64, ends: Instant) -> Grant {
    Grant {
        generation,
        ends: Some(ends),
        renewal: Renewal::WithRotation,
    }
}

#[test]
fn a_connection_given_up_for_an_auth_has_lasted() {
    let now = start();
    let mut entry = Entry::new(grant(1, now + secs(60)));
    entry.replaced = Some(now);
    assert_eq!(entry.clone().lost(now + secs(1)), 1);
    entry.failed(ReauthErrorKind::Timeout);
    assert_eq!(entry.lost(now + secs(1)), 0);
}

fn outputs(roster: &mut Roster<()>) -> Vec<Output> {
    std::iter::from_fn(|| roster.poll_output()).collect()
}

/// What is started at `now`.
fn started(roster: &mut Roster<()>, now: Instant) -> Vec<(Action, Duration)> {
    roster.run(now);
    let start = |output| match output {
        Output::Start { action, limit, .. } => Some((action, limit)),
        _ => None,
    };
    outputs(roster).into_iter().filter_map(start).collect()
}

fn ended(action: Action, generation: u64, result: Result<Grant, ReauthError>) -> Ended {
    Ended {
        action,
        generation,
        latency: Duration::ZERO,
        result,
    }
}

#[test]
fn an_auth_is_given_no_longer_than_the_time_left_before_a_replacement() {
    let now = start();
    for (left, limit) in [(secs(900), secs(5)), (secs(4), secs(3))] {
        let mut roster = roster();
        roster.joined(now, ConnectionId::next(), grant(1, now + left), ());
        roster.rotated(now, 2);
        assert_eq!(started(&mut roster, now), [(Action::Authenticate, limit)]);
    }
}

#[test]
fn an_end_that_nobody_waits_for_changes_nothing() {
    let now = start();
    let (mut roster, id) = (roster(), ConnectionId::next());
    let late = || ended(Action::Authenticate, 1, Ok(grant(1, now + secs(9))));
    roster.ended(now, id, late());
    roster.joined(now, id, grant(1, now + secs(900)), ());
    roster.ended(now, id, late());
    roster.left(ConnectionId::next());
    roster.lost(now, ConnectionId::next());
    roster.ready(now, id);
    assert!(outputs(&mut roster).is_empty());
    assert_eq!(roster.running, 0);
    assert_eq!(roster.poll_timeout(), None);
}

#[test]
fn one_that_leaves_leaves_nothing_behind_whatever_it_was_at() {
    let now = start();
    let mut roster = roster();
    let ids = [(); 3].map(|()| ConnectionId::next());
    for id in ids {
        roster.joined(now, id, grant(1, now + secs(900)), ());
    }
    roster.left(ids[0]); // settled
    roster.rotated(now, 2);
    assert_eq!(started(&mut roster, now).len(), 1);
    roster.left(ids[1]); // running
    roster.left(ids[2]); // due
    assert_eq!((roster.running, roster.queue.len()), (0, 0));
    assert!(roster.entries.is_empty());
}

#[test]
fn a_replacement_refused_asks_for_a_token_as_well() {
    let now = start();
    let (mut roster, id) = (roster(), ConnectionId::next());
    roster.joined(now, id, grant(1, now + secs(900)), ());
    roster.rotated(now, 1);
    roster.lost(now, id);
    for asks in [1, 0] {
        let at = roster.poll_timeout().unwrap();
        assert_eq!(started(&mut roster, at), [(Action::Replace, secs(10))]);
        let refused = Err(ReauthErrorKind::Refused.into());
        roster.ended(at, id, ended(Action::Replace, 1, refused));
        let asked = outputs(&mut roster);
        let asked = asked.iter().filter(|output| matches!(output, Output::Ask));
        assert_eq!(asked.count(), asks);
    }
}

#[test]
fn random_walks_keep_every_promise() {
    if let Ok(seed) = std::env::var("WALK") {
        Walk::new(seed.parse().unwrap()).run();
        return;
    }
    for seed in 0..WALKS {
        let walk = catch_unwind(AssertUnwindSafe(|| Walk::new(seed).run()));
        if let Err(panic) = walk {
            eprintln!("repeat it with: WALK={seed} cargo test -p redis-authx roster");
            resume_unwind(panic);
        }
    }
}

/// A roster, and what it must look like from outside.
struct Walk {
    random: Rng,
    roster: Roster<()>,
    now: Instant,
    most: usize,
    ids: Vec<ConnectionId>,
    running: Vec<(ConnectionId, Action, u64)>,
    generation: u64,
    valid: bool,
    ends: Instant,
    asked: u64,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let most = random.usize(1..6);
        let policy = ReauthPolicy::builder()
            .max_in_flight(most)
            .stagger(random.f64())
            .replace_after(random.f64());
        let now = start();
        Self {
            roster: Roster::new(policy.build().unwrap(), Rng::with_seed(seed)),
            random,
            now,
            most,
            ids: Vec::new(),
            running: Vec::new(),
            generation: 0,
            valid: false,
            ends: now,
            asked: 0,
        }
    }

    fn run(mut self) {
        for _ in 0..STEPS {
            self.step();
            self.roster.run(self.now);
            self.check();
        }
        // When all goes well again, all are logged in with the newest token.
        self.rotate();
        for _ in 0..10_000 {
            self.roster.run(self.now);
            self.check();
            match self.running.pop() {
                Some((id, action, generation)) => self.succeed(id, action, generation),
                None => match self.roster.poll_timeout() {
                    Some(at) => self.now = self.now.max(at),
                    None => break,
                },
            }
        }
        assert!(self.running.is_empty() && self.roster.queue.is_empty());
        assert_eq!(self.roster.entries.len(), self.ids.len());
        for (entry, ()) in self.roster.entries.values() {
            assert_eq!(entry.grant.generation, self.generation);
            assert!(!entry.lost);
        }
    }

    fn any(&mut self) -> Option<ConnectionId> {
        let ids = self.ids.clone();
        self.random.choice(ids)
    }

    fn step(&mut self) {
        match self.random.u32(0..100) {
            0..10 if self.ids.len() < 12 => {
                let id = ConnectionId::next();
                let age = self.random.u64(0..2).min(self.generation);
                let joined = grant(self.generation - age, self.ends);
                self.ids.push(id);
                self.roster.joined(self.now, id, joined, ());
            }
            10..15 => {
                if let Some(id) = self.any() {
                    self.ids.retain(|known| *known != id);
                    self.running.retain(|(running, ..)| *running != id);
                    self.roster.left(id);
                }
            }
            15..22 => {
                if let Some(id) = self.any() {
                    self.roster.lost(self.now, id);
                }
            }
            22..30 => {
                if let Some(id) = self.any() {
                    self.roster.ready(self.now, id);
                }
            }
            30..36 => self.rotate(),
            36..40 => {
                self.valid = false;
                self.roster.withdrawn();
            }
            40..60 => {
                if let Some(at) = self.roster.poll_timeout() {
                    self.now = self.now.max(at);
                }
            }
            60..65 => self.now += Duration::from_millis(self.random.u64(0..300_000)),
            _ if !self.running.is_empty() => {
                let place = self.random.usize(0..self.running.len());
                let (id, action, generation) = self.running.swap_remove(place);
                self.end(id, action, generation);
            }
            _ => {}
        }
    }

    fn rotate(&mut self) {
        self.valid = true;
        self.generation += 1;
        self.ends = self.now + secs(self.random.u64(0..1000));
        self.roster.rotated(self.now, self.generation);
    }

    fn end(&mut self, id: ConnectionId, action: Action, generation: u64) {
        let kinds = [
            ReauthErrorKind::Busy,
            ReauthErrorKind::Disconnected,
            ReauthErrorKind::Other,
            ReauthErrorKind::OutOfStep,
            ReauthErrorKind::Refused,
            ReauthErrorKind::Timeout,
            ReauthErrorKind::Unsupported,
        ];
        match self.random.usize(0..12) {
            kind if kind < kinds.len() => {
                let failed = Err(kinds[kind].into());
                self.roster
                    .ended(self.now, id, ended(action, generation, failed));
            }
            _ => self.succeed(id, action, generation),
        }
    }

    fn succeed(&mut self, id: ConnectionId, action: Action, generation: u64) {
        let done = Ok(grant(generation, self.ends));
        self.roster
            .ended(self.now, id, ended(action, generation, done));
    }

    fn check(&mut self) {
        for output in outputs(&mut self.roster) {
            match output {
                Output::Start { id, action, .. } => {
                    assert!(self.valid, "something is tried without a token");
                    assert!(self.ids.contains(&id), "one that has left is started");
                    let twice = self.running.iter().any(|(running, ..)| *running == id);
                    assert!(!twice, "a session does two things at once");
                    self.running.push((id, action, self.generation));
                }
                Output::Ask => {
                    assert!(self.asked < self.generation, "asked twice");
                    self.asked += 1;
                }
                Output::Report(Event::ReauthFailed { retry_in, .. }) => {
                    assert!(retry_in.is_some_and(|wait| wait >= FLOOR));
                }
                Output::Report(_) => {}
            }
        }
        assert_eq!(self.roster.running, self.running.len());
        assert!(self.running.len() <= self.most, "too many at once");
        let due = self.roster.poll_timeout();
        assert!(due.is_none_or(|at| at > self.now), "left undone");
        let planned = |(entry, ()): &&(Entry, ())| matches!(entry.plan, Plan::Due(_));
        let planned = self.roster.entries.values().filter(planned).count();
        assert_eq!(planned, self.roster.queue.len());
    }
}
