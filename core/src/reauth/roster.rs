//! Who re-authenticates when: the logic of [`reauth`](super), without a clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use super::asking::ASK_AGAIN;
use super::entry::{Action, Entry, Grant, Plan, Renewal};
use super::status::ConnectionId;
use super::{ReauthError, ReauthErrorKind, ReauthPolicy};
use crate::Event;

/// Deferred by a transaction or a command that blocks, a session is asked again
/// after this, doubling …
const BUSY_DELAY: Duration = Duration::from_millis(10);
/// … up to this: it says so itself when it is over, and a command may block for
/// hours.
const LONGEST_BUSY_DELAY: Duration = Duration::from_secs(5);
/// No try follows another sooner than this.
const FLOOR: Duration = Duration::from_millis(1);

/// Every live session, and what each of them is to do next. Of a session itself
/// it knows nothing: it keeps a `T` for it, for the driver.
#[derive(Debug)]
pub(super) struct Roster<T> {
    policy: ReauthPolicy,
    random: fastrand::Rng,
    entries: BTreeMap<ConnectionId, (Entry, T)>,
    queue: BTreeSet<(Instant, ConnectionId)>,
    running: usize,
    /// The token in hand; without one, nothing is tried.
    generation: Option<u64>,
    /// The latest generation that a fresh token was asked for instead of, and
    /// when that was.
    asked: u64,
    asked_at: Option<Instant>,
    outputs: VecDeque<Output>,
}

/// What the driver is to do.
#[derive(Debug)]
pub(super) enum Output {
    /// Ask the manager for a fresh token.
    Ask,
    Report(Event),
    Start {
        id: ConnectionId,
        action: Action,
        limit: Duration,
    },
}

/// How something started ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) action: Action,
    pub(super) generation: u64,
    pub(super) latency: Duration,
    pub(super) result: Result<Grant, ReauthError>,
}

impl<T> Roster<T> {
    pub(super) const fn new(policy: ReauthPolicy, random: fastrand::Rng) -> Self {
        Self {
            policy,
            random,
            entries: BTreeMap::new(),
            queue: BTreeSet::new(),
            running: 0,
            generation: None,
            asked: 0,
            asked_at: None,
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        if self.generation.is_none() || self.running >= self.policy.max_in_flight {
            return None;
        }
        self.queue.first().map(|(at, _)| *at)
    }

    /// What is kept for a session, as long as it is there.
    pub(super) fn get(&self, id: ConnectionId) -> Option<&T> {
        self.entries.get(&id).map(|(_, kept)| kept)
    }

    /// The same, to change.
    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        self.entries.get_mut(&id).map(|(_, kept)| kept)
    }

    pub(super) fn joined(&mut self, now: Instant, id: ConnectionId, grant: Grant, kept: T) {
        self.entries.insert(id, (Entry::new(grant), kept));
        self.settle(now, id);
    }

    pub(super) fn left(&mut self, id: ConnectionId) -> Option<T> {
        let (entry, kept) = self.entries.remove(&id)?;
        match entry.plan {
            Plan::Due(at) => {
                self.queue.remove(&(at, id));
            }
            Plan::Running => self.running -= 1,
            Plan::Settled => {}
        }
        Some(kept)
    }

    /// The connection is gone.
    pub(super) fn lost(&mut self, now: Instant, id: ConnectionId) {
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        if !entry.lost {
            let sample = self.random.f64();
            let delay = match entry.lost(now) {
                0 => Duration::ZERO,
                relapses => self.policy.backoff.jittered_delay(relapses, sample),
            };
            self.schedule(id, now + delay);
        }
    }

    /// Its transaction is over.
    pub(super) fn ready(&mut self, now: Instant, id: ConnectionId) {
        if self.entries.get(&id).is_some_and(|(entry, _)| entry.busy) {
            self.schedule(id, now);
        }
    }

    /// There is no valid token.
    pub(super) const fn withdrawn(&mut self) {
        self.generation = None;
    }

    /// There is a new token: spreads the `AUTH`s of those who need it.
    pub(super) fn rotated(&mut self, now: Instant, generation: u64) {
        self.generation = Some(generation);
        let is_due = |entry: &Entry| {
            entry.plan != Plan::Running && (entry.lost || entry.is_older_than(generation))
        };
        let due: Vec<ConnectionId> = self
            .entries
            .iter()
            .filter(|(_, (entry, _))| is_due(entry))
            .map(|(id, _)| *id)
            .collect();
        let mut longest = Duration::ZERO;
        for (place, id) in due.iter().enumerate() {
            let Some((entry, _)) = self.entries.get_mut(id) else {
                continue;
            };
            entry.begin(now, self.policy.replace_after);
            let window = if entry.lost || entry.grant.ends.is_none() {
                Duration::ZERO
            } else {
                entry.time_left(now).mul_f64(self.policy.stagger)
            };
            longest = longest.max(window);
            let share = place as f64 / due.len() as f64;
            let turn = now + window.mul_f64(share);
            // One that was planned before is not put off.
            let turn = match entry.plan {
                Plan::Due(planned) => planned.min(turn),
                Plan::Running | Plan::Settled => turn,
            };
            self.schedule(*id, turn);
        }
        if !due.is_empty() {
            self.outputs.push_back(Output::Report(Event::Staggered {
                connections: due.len(),
                window: longest,
            }));
        }
    }

    /// Starts what is due, as far as the limit allows.
    pub(super) fn run(&mut self, now: Instant) {
        while self.poll_timeout().is_some_and(|at| at <= now)
            && let Some((_, id)) = self.queue.pop_first()
        {
            let Some((entry, _)) = self.entries.get_mut(&id) else {
                continue;
            };
            entry.plan = Plan::Running;
            self.running += 1;
            let action = entry.action(now);
            let limit = match action {
                Action::Authenticate => {
                    entry.replace_from.map_or(self.policy.auth_timeout, |from| {
                        from.saturating_duration_since(now)
                            .min(self.policy.auth_timeout)
                    })
                }
                Action::Replace => self.policy.replace_timeout,
            };
            self.outputs.push_back(Output::Start { id, action, limit });
        }
    }

    pub(super) fn ended(&mut self, now: Instant, id: ConnectionId, ended: Ended) {
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        if entry.plan != Plan::Running {
            return;
        }
        self.running -= 1;
        entry.plan = Plan::Settled;
        match ended.result {
            Ok(grant) => {
                entry.grant = grant;
                entry.busy = false;
                entry.attempts = 0;
                entry.replace_from = None;
                if ended.action == Action::Replace {
                    entry.lost = false;
                    entry.replaced = Some(now);
                }
                self.outputs.push_back(Output::Report(match ended.action {
                    Action::Authenticate => Event::Reauthenticated {
                        connection: id,
                        generation: ended.generation,
                        latency: ended.latency,
                    },
                    Action::Replace => Event::Replaced {
                        connection: id,
                        generation: ended.generation,
                    },
                }));
                self.settle(now, id);
            }
            Err(error) => self.retry(now, id, ended.action, ended.generation, error),
        }
    }

    /// Plans a session that has just logged in.
    fn settle(&mut self, now: Instant, id: ConnectionId) {
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        let at = match entry.grant.renewal {
            _ if entry.lost => Some(now),
            // Spread as well: they may all have been opened at once.
            Renewal::At(at) => {
                let share = self.policy.stagger * self.random.f64();
                let early = entry.time_left(at).mul_f64(share);
                Some(at.checked_sub(early).unwrap_or(at).max(now))
            }
            _ => self
                .generation
                .filter(|generation| entry.is_older_than(*generation))
                .map(|_| now),
        };
        if let Some(at) = at {
            entry.begin(at, self.policy.replace_after);
            self.schedule(id, at);
        }
    }

    fn retry(
        &mut self,
        now: Instant,
        id: ConnectionId,
        tried: Action,
        generation: u64,
        error: ReauthError,
    ) {
        let sample = self.random.f64();
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        entry.failed(error.kind());
        let taken_before = entry.grant.generation == generation;
        let delay = if entry.attempts == 0 {
            FLOOR
        } else if entry.busy {
            let doubled = BUSY_DELAY * 2u32.pow(entry.attempts.min(10) - 1);
            doubled.min(LONGEST_BUSY_DELAY)
        } else {
            let delay = self.policy.backoff.jittered_delay(entry.attempts, sample);
            delay.max(FLOOR)
        };
        let at = match entry.replace_from {
            Some(from) if tried == Action::Authenticate => (now + delay).min(from.max(now + FLOOR)),
            _ => now + delay,
        };
        if error.kind() == ReauthErrorKind::Refused {
            self.ask(now, generation, taken_before);
        }
        if !tried.is_not_for(error.kind()) {
            self.outputs.push_back(Output::Report(Event::ReauthFailed {
                connection: id,
                generation,
                error,
                retry_in: Some(at - now),
            }));
        }
        self.schedule(id, at);
    }

    /// A session was refused with a token. One that it had taken before has
    /// been revoked, and the next may well do; one that is new to it may be
    /// that very next one.
    fn ask(&mut self, now: Instant, generation: u64, taken_before: bool) {
        let long_ago = |at| now.saturating_duration_since(at) >= ASK_AGAIN;
        let may = taken_before || self.asked_at.is_none_or(long_ago);
        if may && self.asked < generation {
            self.asked = generation;
            self.asked_at = Some(now);
            self.outputs.push_back(Output::Ask);
        }
    }

    /// Moves a session to `at` in the queue; one that runs is left alone.
    fn schedule(&mut self, id: ConnectionId, at: Instant) {
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        match entry.plan {
            Plan::Running => return,
            Plan::Due(planned) => {
                self.queue.remove(&(planned, id));
            }
            Plan::Settled => {}
        }
        entry.plan = Plan::Due(at);
        self.queue.insert((at, id));
    }
}

#[cfg(test)]
mod tests;
