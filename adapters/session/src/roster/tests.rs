//! The roster by itself: seeded random walks, and what a session can't show.
//!
//! A failing walk prints its seed; `WALK=seed cargo test -p redis-authx-session roster`
//! repeats it alone.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;

use super::*;

const WALKS: u64 = 2000;
const STEPS: usize = 300;

fn start() -> Moment {
    #[allow(clippy::disallowed_methods)] // any instant will do
    Moment::new(Instant::now(), std::time::SystemTime::now())
}

/// The moment at which the monotonic clock shows `at`.
fn at(now: Moment, at: Instant) -> Moment {
    now.after(at.saturating_duration_since(now.monotonic()))
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn roster() -> Roster<()> {
    Roster::new(ReauthPolicy::default(), Rng::with_seed(7))
}

/// A log-in that ends at `end`, with the token.
const fn grant(generation: u64, end: Moment) -> Grant {
    Grant {
        generation,
        end: Some(end),
        renewal: Renewal::WithRotation,
    }
}

#[test]
fn a_connection_given_up_for_an_auth_has_lasted() {
    let now = start();
    let mut entry = Entry::new(grant(1, now.after(secs(60))));
    let later = now.after(secs(1)).monotonic();
    entry.replaced = Some(now.monotonic());
    assert_eq!(entry.clone().lost(later), 1);
    entry.failed(ReauthErrorKind::Timeout);
    assert_eq!(entry.lost(later), 0);
}

fn outputs(roster: &mut Roster<()>) -> Vec<Output> {
    std::iter::from_fn(|| roster.poll_output()).collect()
}

/// What is started at `now`.
fn started(roster: &mut Roster<()>, now: Moment) -> Vec<(Action, Duration)> {
    roster.run(now.monotonic());
    let start = |output| match output {
        Output::Start { action, limit, .. } => Some((action, limit)),
        _ => None,
    };
    outputs(roster).into_iter().filter_map(start).collect()
}

fn running(roster: &Roster<()>) -> usize {
    roster.queue.running()
}

fn queued(roster: &Roster<()>) -> usize {
    roster.queue.len()
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
        roster.joined(now, ConnectionId::unique(), grant(1, now.after(left)), ());
        roster.rotated(now, 2);
        assert_eq!(started(&mut roster, now), [(Action::Authenticate, limit)]);
    }
}

#[test]
fn an_end_that_nobody_waits_for_changes_nothing() {
    let now = start();
    let (mut roster, id) = (roster(), ConnectionId::unique());
    let late = || ended(Action::Authenticate, 1, Ok(grant(1, now.after(secs(9)))));
    roster.ended(now, id, late());
    roster.joined(now, id, grant(1, now.after(secs(900))), ());
    roster.ended(now, id, late());
    roster.left(ConnectionId::unique());
    roster.lost(now.monotonic(), ConnectionId::unique());
    roster.ready(now.monotonic(), id);
    assert!(outputs(&mut roster).is_empty());
    assert_eq!(running(&roster), 0);
    assert_eq!(roster.poll_timeout(), None);
}

#[test]
fn one_that_leaves_leaves_nothing_behind_whatever_it_was_at() {
    let now = start();
    let mut roster = roster();
    let ids = [(); 3].map(|()| ConnectionId::unique());
    for id in ids {
        roster.joined(now, id, grant(1, now.after(secs(900))), ());
    }
    roster.left(ids[0]); // settled
    roster.rotated(now, 2);
    assert_eq!(started(&mut roster, now).len(), 1);
    roster.left(ids[1]); // running
    roster.left(ids[2]); // due
    assert_eq!((running(&roster), queued(&roster)), (0, 0));
    assert!(roster.entries.is_empty());
}

#[test]
fn a_replacement_refused_asks_for_a_token_as_well() {
    let now = start();
    let (mut roster, id) = (roster(), ConnectionId::unique());
    roster.joined(now, id, grant(1, now.after(secs(900))), ());
    roster.rotated(now, 1);
    roster.lost(now.monotonic(), id);
    for asks in [1, 0] {
        let at = at(now, roster.poll_timeout().unwrap());
        assert_eq!(started(&mut roster, at), [(Action::Replace, secs(10))]);
        let refused = Err(ReauthErrorKind::Refused.into());
        roster.ended(at, id, ended(Action::Replace, 1, refused));
        let asked = outputs(&mut roster);
        let asked = asked
            .iter()
            .filter(|output| matches!(output, Output::Ask(1)));
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
            eprintln!("repeat it with: WALK={seed} cargo test -p redis-authx-session roster");
            resume_unwind(panic);
        }
    }
}

/// A roster, and what it must look like from outside.
struct Walk {
    random: Rng,
    roster: Roster<()>,
    now: Moment,
    most: usize,
    ids: Vec<ConnectionId>,
    running: Vec<(ConnectionId, Action, u64)>,
    generation: u64,
    valid: bool,
    end: Moment,
    asked: u64,
    asked_at: Option<Instant>,
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
            end: now,
            asked: 0,
            asked_at: None,
        }
    }

    fn run(mut self) {
        for _ in 0..STEPS {
            self.step();
            self.roster.run(self.now.monotonic());
            self.check();
        }
        // When all goes well again, all are logged in with the newest token.
        self.rotate();
        for _ in 0..10_000 {
            self.roster.run(self.now.monotonic());
            self.check();
            match self.running.pop() {
                Some((id, action, generation)) => self.succeed(id, action, generation),
                None => match self.roster.poll_timeout() {
                    Some(due) => self.now = at(self.now, due),
                    None => break,
                },
            }
        }
        assert!(self.running.is_empty() && queued(&self.roster) == 0);
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
                let id = ConnectionId::unique();
                let age = self.random.u64(0..2).min(self.generation);
                let joined = grant(self.generation - age, self.end);
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
                    self.roster.lost(self.now.monotonic(), id);
                }
            }
            22..30 => {
                if let Some(id) = self.any() {
                    self.roster.ready(self.now.monotonic(), id);
                }
            }
            30..36 => self.rotate(),
            36..40 => {
                self.valid = false;
                self.roster.withdrawn();
            }
            40..60 => {
                if let Some(due) = self.roster.poll_timeout() {
                    self.now = at(self.now, due);
                }
            }
            60..64 => {
                let wait = Duration::from_millis(self.random.u64(0..300_000));
                self.now = self.now.after(wait);
            }
            64 => {
                // The wall clock runs ahead.
                let by = secs(self.random.u64(0..300));
                self.now = Moment::new(self.now.monotonic(), self.now.wall() + by);
                self.roster.read_clocks(self.now);
            }
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
        self.end = self.now.after(secs(self.random.u64(0..1000)));
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
        let done = Ok(grant(generation, self.end));
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
                Output::Ask(generation) => {
                    let long_ago = |at: Instant| self.now.monotonic() - at >= secs(300);
                    let again = self.asked_at.is_none_or(long_ago);
                    assert!(self.asked < generation || again, "asked twice");
                    self.asked = generation;
                    self.asked_at = Some(self.now.monotonic());
                }
                Output::Report(Event::ReauthFailed { retry_in, .. }) => {
                    assert!(retry_in.is_some_and(|wait| wait >= FLOOR));
                }
                Output::Report(_) => {}
            }
        }
        assert_eq!(running(&self.roster), self.running.len());
        let replacing = self
            .running
            .iter()
            .filter(|(_, action, _)| *action == Action::Replace);
        assert!(
            replacing.count() <= self.most.div_ceil(2),
            "too many replacements"
        );
        assert!(self.running.len() <= self.most, "too many at once");
        let due = self.roster.poll_timeout();
        assert!(
            due.is_none_or(|at| at > self.now.monotonic()),
            "left undone"
        );
        let planned = |(entry, ()): &&(Entry, ())| matches!(entry.plan, Plan::Due(_));
        let planned = self.roster.entries.values().filter(planned).count();
        assert_eq!(planned, queued(&self.roster));
    }
}
