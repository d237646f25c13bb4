use std::collections::BTreeMap;
use std::task::Waker;
use std::time::{Duration, Instant, SystemTime};

/// Both clocks, and the timers.
#[derive(Debug)]
pub(super) struct Sleepers {
    pub(super) now: Instant,
    pub(super) wall: SystemTime,
    /// By deadline, then in the order in which they were set.
    asleep: BTreeMap<(Instant, u64), Waker>,
    next_id: u64,
}

impl Sleepers {
    pub(super) const fn new(now: Instant, wall: SystemTime) -> Self {
        Self {
            now,
            wall,
            asleep: BTreeMap::new(),
            next_id: 0,
        }
    }

    pub(super) const fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    pub(super) fn register(&mut self, deadline: Instant, id: u64, waker: &Waker) {
        self.asleep
            .entry((deadline, id))
            .and_modify(|known| known.clone_from(waker))
            .or_insert_with(|| waker.clone());
    }

    pub(super) fn forget(&mut self, deadline: Instant, id: u64) -> Option<Waker> {
        self.asleep.remove(&(deadline, id))
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.asleep.keys().next().map(|(deadline, _)| *deadline)
    }

    pub(super) fn len(&self) -> usize {
        self.asleep.len()
    }

    /// Advances both clocks; returns the wakers of the timers that are due.
    pub(super) fn advance_to(&mut self, target: Instant) -> Vec<Waker> {
        let by = target.saturating_duration_since(self.now);
        self.now += by;
        self.wall += by;
        let mut due = Vec::new();
        while let Some(entry) = self.asleep.first_entry()
            && entry.key().0 <= self.now
        {
            due.push(entry.remove());
        }
        due
    }

    pub(super) fn step_wall(&mut self, by: Duration, backward: bool) {
        self.wall = if backward {
            self.wall - by
        } else {
            self.wall + by
        };
    }
}
