use std::collections::BTreeSet;
use std::time::Instant;

use redis_authx::ConnectionId;

use crate::entry::{Action, Plan};

/// What is due when, and how much of it runs.
///
/// Replacements have a queue and a limit of their own: those of a dead node take
/// long, and must not hold up the `AUTH`s of others.
#[derive(Debug)]
pub(super) struct Queue {
    most: usize,
    auths: Lane,
    replacements: Lane,
}

#[derive(Debug)]
struct Lane {
    due: BTreeSet<(Instant, ConnectionId)>,
    running: usize,
}

impl Lane {
    const fn new() -> Self {
        Self {
            due: BTreeSet::new(),
            running: 0,
        }
    }
}

impl Queue {
    /// At most `most` actions run at once.
    pub(super) const fn new(most: usize) -> Self {
        Self {
            most,
            auths: Lane::new(),
            replacements: Lane::new(),
        }
    }

    const fn lane(&mut self, action: Action) -> &mut Lane {
        match action {
            Action::Authenticate => &mut self.auths,
            Action::Replace => &mut self.replacements,
        }
    }

    /// The action that is due first among those that may start.
    pub(super) fn next(&self) -> Option<(Instant, ConnectionId, Action)> {
        if self.running() >= self.most {
            return None;
        }
        let first = |lane: &Lane, action| {
            let (at, id) = *lane.due.first()?;
            Some((at, id, action))
        };
        // At most half of what may run, rounded up.
        let may_replace = self.replacements.running < self.most.div_ceil(2);
        let replacement = may_replace.then(|| first(&self.replacements, Action::Replace));
        let auth = first(&self.auths, Action::Authenticate);
        let next = [auth, replacement.flatten()];
        next.into_iter().flatten().min_by_key(|(at, ..)| *at)
    }

    pub(super) fn insert(&mut self, at: Instant, id: ConnectionId, action: Action) {
        self.lane(action).due.insert((at, id));
    }

    pub(super) fn start(&mut self, action: Action) {
        self.lane(action).running += 1;
    }

    /// Removes what was planned or runs.
    pub(super) fn remove(&mut self, id: ConnectionId, plan: Plan) {
        match plan {
            Plan::Due(at) => {
                self.auths.due.remove(&(at, id));
                self.replacements.due.remove(&(at, id));
            }
            Plan::Running(action) => self.lane(action).running -= 1,
            Plan::Settled => {}
        }
    }

    pub(super) const fn running(&self) -> usize {
        self.auths.running + self.replacements.running
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.auths.due.len() + self.replacements.due.len()
    }
}
