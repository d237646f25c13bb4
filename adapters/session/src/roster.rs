//! Which session re-authenticates when: the logic, without a clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use redis_authx::{ConnectionId, Event, Moment, ReauthError, ReauthErrorKind, ReauthPolicy};

use crate::entry::{Action, Entry, Grant, Plan, Renewal};
use crate::limiter::Limiter;
use crate::queue::Queue;

/// The first delay before a busy session is tried again; it doubles …
const BUSY_DELAY: Duration = Duration::from_millis(10);
/// … up to this. The session reports when it is no longer busy, and a command may
/// block for hours.
const LONGEST_BUSY_DELAY: Duration = Duration::from_secs(5);
/// The wall clock may run ahead by this much before plans are moved.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(1);
/// The delay before a session is tried again for which there was no valid token.
const TOKEN_DELAY: Duration = Duration::from_secs(1);
/// The least delay between two attempts of one session.
const FLOOR: Duration = Duration::from_millis(1);

/// Every live session, and what is next for each. It keeps a `T` per session for
/// the driver.
#[derive(Debug)]
pub(super) struct Roster<T> {
    policy: ReauthPolicy,
    random: fastrand::Rng,
    entries: BTreeMap<ConnectionId, (Entry, T)>,
    queue: Queue,
    /// Of the current token; without one, nothing is tried.
    generation: Option<u64>,
    /// When the plans were last compared with the clocks.
    read: Option<Moment>,
    limiter: Limiter,
    outputs: VecDeque<Output>,
}

/// What the driver is asked to do.
#[derive(Debug)]
pub(super) enum Output {
    /// Request another token instead of the one of this generation.
    Ask(u64),
    Report(Event),
    Start {
        id: ConnectionId,
        action: Action,
        limit: Duration,
    },
}

/// The outcome of what was started.
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
            queue: Queue::new(policy.max_in_flight()),
            policy,
            random,
            entries: BTreeMap::new(),
            generation: None,
            read: None,
            limiter: Limiter::new(),
            outputs: VecDeque::new(),
        }
    }

    pub(super) fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.generation?;
        self.queue.next().map(|(at, ..)| at)
    }

    /// The number of sessions.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value that is kept for a session.
    pub(super) fn get(&self, id: ConnectionId) -> Option<&T> {
        self.entries.get(&id).map(|(_, kept)| kept)
    }

    /// The same, mutable.
    pub(super) fn get_mut(&mut self, id: ConnectionId) -> Option<&mut T> {
        self.entries.get_mut(&id).map(|(_, kept)| kept)
    }

    pub(super) fn joined(&mut self, now: Moment, id: ConnectionId, grant: Grant, kept: T) {
        self.entries.insert(id, (Entry::new(grant), kept));
        self.plan_after_log_in(now, id);
    }

    pub(super) fn left(&mut self, id: ConnectionId) -> Option<T> {
        self.unplan(id);
        self.entries.remove(&id).map(|(_, kept)| kept)
    }

    /// Removes a session from its queue, or from the count of running actions.
    fn unplan(&mut self, id: ConnectionId) {
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        let plan = std::mem::replace(&mut entry.plan, Plan::Settled);
        self.queue.remove(id, plan);
    }

    /// Whether a session is lost and waits for its replacement.
    pub(super) fn has_lost(&self) -> bool {
        self.entries.values().any(|(entry, _)| entry.lost)
    }

    /// Where the wall clock has run ahead of the monotonic one, every session has
    /// that much less time than was planned with.
    pub(super) fn read_clocks(&mut self, now: Moment) {
        let read = *self.read.get_or_insert(now);
        let elapsed = now.monotonic().saturating_duration_since(read.monotonic());
        let expected = read.after(elapsed).wall();
        let ahead = match now.wall().duration_since(expected) {
            Ok(ahead) if ahead < CLOCK_TOLERANCE => return,
            Ok(ahead) => ahead,
            Err(_) => Duration::ZERO,
        };
        self.read = Some(now);
        let sooner = |at: Instant| at.checked_sub(ahead).unwrap_or(at).max(now.monotonic());
        let mut due = Vec::new();
        for (id, (entry, _)) in &mut self.entries {
            entry.replace_from = entry.replace_from.map(sooner);
            if let Plan::Due(at) = entry.plan {
                due.push((*id, sooner(at)));
            }
        }
        for (id, at) in due {
            self.schedule(id, at);
        }
    }

    /// The token of this generation has got another end. Calls `each` for every
    /// session that ends with it.
    pub(super) fn extended(&mut self, generation: u64, end: Option<Moment>, each: impl Fn(&T)) {
        for (entry, kept) in self.entries.values_mut() {
            let grant = &mut entry.grant;
            if grant.generation == generation && grant.renewal == Renewal::WithRotation {
                grant.end = end;
                each(kept);
            }
        }
    }

    /// The connection is lost.
    pub(super) fn lost(&mut self, now: Instant, id: ConnectionId) {
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        if !entry.lost {
            let sample = self.random.f64();
            let delay = match entry.lost(now) {
                0 => Duration::ZERO,
                relapses => self.policy.backoff().jittered_delay(relapses, sample),
            };
            self.schedule(id, now + delay);
        }
    }

    /// The session is no longer busy.
    pub(super) fn ready(&mut self, now: Instant, id: ConnectionId) {
        if self.entries.get(&id).is_some_and(|(entry, _)| entry.busy) {
            self.schedule(id, now);
        }
    }

    /// There is no valid token.
    pub(super) const fn withdrawn(&mut self) {
        self.generation = None;
    }

    /// There is a new token: spreads the `AUTH`s of the sessions that need it, those
    /// with the least time left first.
    pub(super) fn rotated(&mut self, now: Moment, generation: u64) {
        self.generation = Some(generation);
        let is_due = |entry: &Entry| {
            !matches!(entry.plan, Plan::Running(_))
                && (entry.lost || entry.is_older_than(generation))
        };
        let mut due: Vec<(Duration, ConnectionId)> = self
            .entries
            .iter()
            .filter(|(_, (entry, _))| is_due(entry))
            .map(|(id, (entry, _))| (entry.time_left(now), *id))
            .collect();
        due.sort_unstable();
        let mut longest = Duration::ZERO;
        for (place, (left, id)) in due.iter().enumerate() {
            let Some((entry, _)) = self.entries.get_mut(id) else {
                continue;
            };
            entry.begin(now, now.monotonic(), self.policy.replace_after());
            let window = if entry.lost || entry.grant.end.is_none() {
                Duration::ZERO
            } else {
                left.mul_f64(self.policy.stagger())
            };
            longest = longest.max(window);
            let share = place as f64 / due.len() as f64;
            let turn = now.monotonic() + window.mul_f64(share);
            // One that was planned before is not put off.
            let turn = match entry.plan {
                Plan::Due(planned) => planned.min(turn),
                Plan::Running(_) | Plan::Settled => turn,
            };
            self.schedule(*id, turn);
        }
        if !due.is_empty() {
            self.outputs
                .push_back(Output::Report(Event::staggered(due.len(), longest)));
        }
    }

    /// Defers an action that could not begin, for want of a valid token. The next
    /// token starts it as well.
    pub(super) fn put_back(&mut self, now: Instant, id: ConnectionId) {
        self.unplan(id);
        self.schedule(id, now + TOKEN_DELAY);
    }

    /// Starts what is due, as far as the limit allows.
    pub(super) fn run(&mut self, now: Instant) {
        while self.generation.is_some()
            && let Some((at, id, planned)) = self.queue.next()
            && at <= now
        {
            self.unplan(id);
            let Some((entry, _)) = self.entries.get_mut(&id) else {
                continue;
            };
            let action = entry.action(now);
            if planned == Action::Authenticate && action == Action::Replace {
                // Its time for an `AUTH` has passed while it waited for a slot.
                self.schedule(id, now);
                continue;
            }
            entry.plan = Plan::Running(action);
            self.queue.start(action);
            let limit = match action {
                Action::Authenticate => {
                    let limit = self.policy.auth_timeout();
                    let before = entry
                        .replace_from
                        .map(|from| from.saturating_duration_since(now));
                    before.map_or(limit, |before| before.min(limit))
                }
                Action::Replace => self.policy.replace_timeout(),
            };
            self.outputs.push_back(Output::Start { id, action, limit });
        }
    }

    pub(super) fn ended(&mut self, now: Moment, id: ConnectionId, ended: Ended) {
        let Some((entry, _)) = self.entries.get(&id) else {
            return;
        };
        if !matches!(entry.plan, Plan::Running(_)) {
            return;
        }
        self.unplan(id);
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        match ended.result {
            Ok(grant) => {
                entry.grant = grant;
                entry.busy = false;
                entry.attempts = 0;
                entry.replace_from = None;
                if ended.action == Action::Replace {
                    entry.lost = false;
                    entry.replaced = Some(now.monotonic());
                }
                self.outputs.push_back(Output::Report(match ended.action {
                    Action::Authenticate => {
                        Event::reauthenticated(id, ended.generation, ended.latency)
                    }
                    Action::Replace => Event::replaced(id, ended.generation),
                }));
                self.plan_after_log_in(now, id);
            }
            Err(error) => self.retry(now.monotonic(), id, ended.action, ended.generation, error),
        }
    }

    /// Plans a session that has just logged in.
    fn plan_after_log_in(&mut self, now: Moment, id: ConnectionId) {
        let Some((entry, _)) = self.entries.get_mut(&id) else {
            return;
        };
        let monotonic = now.monotonic();
        let at = match entry.grant.renewal {
            _ if entry.lost => Some(monotonic),
            // Spread as well: they may all have been opened at once.
            Renewal::At(at) => {
                let share = self.policy.stagger() * self.random.f64();
                let left = entry.time_left(now);
                let early = left.saturating_sub(at.saturating_duration_since(monotonic));
                let early = early.mul_f64(share);
                Some(at.checked_sub(early).unwrap_or(at).max(monotonic))
            }
            _ => self
                .generation
                .filter(|generation| entry.is_older_than(*generation))
                .map(|_| monotonic),
        };
        if let Some(at) = at {
            entry.begin(now, at, self.policy.replace_after());
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
        // One that this session has logged in with has been revoked. One that is
        // new to it may be refused for ever.
        let was_accepted = entry.grant.generation == generation;
        let is_deferred = entry.busy && !std::mem::replace(&mut entry.deferred, entry.busy);
        let delay = if entry.attempts == 0 {
            FLOOR
        } else if entry.busy {
            let doubled = BUSY_DELAY * 2u32.pow(entry.attempts.min(10) - 1);
            doubled.min(LONGEST_BUSY_DELAY)
        } else {
            let delay = self.policy.backoff().jittered_delay(entry.attempts, sample);
            delay.max(FLOOR)
        };
        let at = match entry.replace_from {
            Some(from) if tried == Action::Authenticate => (now + delay).min(from.max(now + FLOOR)),
            _ => now + delay,
        };
        if error.kind() == ReauthErrorKind::Refused
            && self.limiter.rejected(generation, was_accepted, now)
        {
            self.outputs.push_back(Output::Ask(generation));
        }
        if is_deferred {
            self.outputs
                .push_back(Output::Report(Event::deferred(id, generation)));
        } else if !tried.expects(error.kind()) {
            self.outputs.push_back(Output::Report(Event::reauth_failed(
                id,
                generation,
                error,
                Some(at - now),
            )));
        }
        self.schedule(id, at);
    }

    /// Plans a session for `at`; one that runs is left alone.
    fn schedule(&mut self, id: ConnectionId, at: Instant) {
        let is_running = |(entry, _): &(Entry, T)| matches!(entry.plan, Plan::Running(_));
        if self.entries.get(&id).is_none_or(is_running) {
            return;
        }
        self.unplan(id);
        if let Some((entry, _)) = self.entries.get_mut(&id) {
            entry.plan = Plan::Due(at);
            self.queue.insert(at, id, entry.action(at));
        }
    }
}

#[cfg(test)]
mod tests;
