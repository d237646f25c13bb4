use crate::fleet::server::{Outcome, Purpose};
use crate::fleet::time::{Nanos, SECOND};
use crate::fleet::world::Token;

/// A connection that is lost sooner after its replacement has not lasted.
const LASTING: Nanos = 10 * SECOND;

/// One connection, as its client sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) token: Token,
    pub(super) plan: Plan,
    /// Tries since the last success.
    pub(super) attempts: u32,
    /// Only a replacement helps.
    pub(super) lost: bool,
    replaced: Option<Nanos>,
    relapses: u32,
    /// From then on a replacement is tried instead of AUTH.
    pub(super) replace_from: Nanos,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Due(Nanos),
    Running,
    Settled,
}

impl Entry {
    /// Not opened yet.
    pub(super) const NEW: Self = Self {
        token: Token::NONE,
        plan: Plan::Settled,
        attempts: 0,
        lost: true,
        replaced: None,
        relapses: 0,
        replace_from: 0,
    };

    pub(super) const fn time_left(&self, now: Nanos) -> Nanos {
        self.token.expires.saturating_sub(now)
    }

    /// A renewal begins.
    pub(super) fn begin(&mut self, now: Nanos, replace_after: f64) {
        self.attempts = 0;
        let left = self.time_left(now);
        self.lost |= left == 0;
        self.replace_from = now + (left as f64 * replace_after) as Nanos;
    }

    /// What to try now.
    pub(super) const fn purpose(&self, now: Nanos) -> Purpose {
        if self.lost || self.replace_from <= now {
            Purpose::Login
        } else {
            Purpose::Renewal
        }
    }

    /// The connection is gone. Returns 0 when it had lasted, else how often it
    /// has not.
    pub(super) fn closed(&mut self, now: Nanos) -> u32 {
        let lasted = self.replaced.is_none_or(|at| now - at >= LASTING);
        self.relapses = if lasted { 0 } else { self.relapses + 1 };
        self.lost = true;
        self.attempts = 0;
        self.relapses
    }

    pub(super) fn succeeded(&mut self, now: Nanos, purpose: Purpose, token: Token) {
        self.token = token;
        self.attempts = 0;
        if purpose == Purpose::Login {
            self.lost = false;
            self.replaced = Some(now);
        }
    }

    pub(super) const fn failed(&mut self, outcome: Outcome) {
        self.attempts += 1;
        if matches!(outcome, Outcome::Disconnected) && !self.lost {
            self.lost = true;
            self.attempts = 0;
        }
    }
}
