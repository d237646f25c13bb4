use std::time::{Duration, Instant};

use redis_authx::{Clock, Moment, ReauthErrorKind, SessionRule, Token};

/// The share of its lifetime after which a session that outlives its token is
/// renewed.
const RENEW_AFTER: f64 = 0.75;

/// A replacement that is lost sooner than this has not lasted.
const MIN_STABLE: Duration = Duration::from_secs(10);

/// The least time from a log-in to the renewal, whatever the token says.
const SHORTEST_RENEWAL: Duration = Duration::from_millis(100);

/// The result of a log-in with one token at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grant {
    pub(super) generation: u64,
    /// When the server ends the session.
    pub(super) end: Option<Moment>,
    pub(super) renewal: Renewal,
}

/// What makes a session due for the next `AUTH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    At(Instant),
    Never,
    WithRotation,
}

impl Grant {
    pub(super) fn of(token: &Token, clock: &impl Clock) -> Self {
        let now = Moment::now(clock);
        let (end, renewal) = match token.session_rule() {
            SessionRule::Lasts(lasts) => {
                let end = now.after(lasts);
                let wait = end.time_left(now).mul_f64(RENEW_AFTER);
                let at = now.after(wait.max(SHORTEST_RENEWAL));
                (Some(end), Renewal::At(at.monotonic()))
            }
            SessionRule::Unbounded => (None, Renewal::Never),
            // `EndsWithToken`.
            _ => (token.deadline(now), Renewal::WithRotation),
        };
        Self {
            generation: token.generation(),
            end,
            renewal,
        }
    }
}

/// What is done for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Authenticate,
    Replace,
}

impl Action {
    /// Whether this kind of error is part of normal operation, and not reported as
    /// a failure: the session can't take an `AUTH` now, or not at all.
    pub(super) fn expects(self, kind: ReauthErrorKind) -> bool {
        let expected = [ReauthErrorKind::Busy, ReauthErrorKind::Unsupported];
        self == Self::Authenticate && expected.contains(&kind)
    }
}

/// The state of a session's next action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    Due(Instant),
    Running(Action),
    Settled,
}

/// One session, as the roster sees it.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) grant: Grant,
    pub(super) plan: Plan,
    /// Attempts since the last success.
    pub(super) attempts: u32,
    /// The latest failure was that the session is inside a transaction, or blocked.
    pub(super) busy: bool,
    /// Whether that has been reported during this renewal.
    pub(super) deferred: bool,
    /// The connection is lost: only a replacement helps.
    pub(super) lost: bool,
    /// When it was last replaced.
    pub(super) replaced: Option<Instant>,
    /// How often in a row it was lost soon after it had been replaced.
    relapses: u32,
    /// The time from which a replacement is tried instead of `AUTH`. `None` when no
    /// renewal is under way, and for a session without an end.
    pub(super) replace_from: Option<Instant>,
}

impl Entry {
    pub(super) const fn new(grant: Grant) -> Self {
        Self {
            grant,
            plan: Plan::Settled,
            attempts: 0,
            busy: false,
            deferred: false,
            lost: false,
            replaced: None,
            relapses: 0,
            replace_from: None,
        }
    }

    pub(super) fn time_left(&self, now: Moment) -> Duration {
        let left = self.grant.end.map(|end| end.time_left(now));
        left.unwrap_or(Duration::MAX)
    }

    /// The connection is lost. Returns the number of consecutive replacements that
    /// did not last: 0 when the latest did, or was given up for an `AUTH` that
    /// failed. A server that closes every connection must not be stormed.
    pub(super) fn lost(&mut self, now: Instant) -> u32 {
        let long_ago = |at| now.saturating_duration_since(at) >= MIN_STABLE;
        let lasted = self.attempts > 0 || self.replaced.is_none_or(long_ago);
        self.relapses = if lasted {
            0
        } else {
            self.relapses.saturating_add(1)
        };
        self.lost = true;
        self.attempts = 0;
        self.relapses
    }

    /// Begins a renewal at `at`, and sets the time from which a replacement is tried
    /// instead of `AUTH`. If the previous renewal has not succeeded, its time stays:
    /// otherwise frequent rotations would defer the replacement for ever.
    pub(super) fn begin(&mut self, now: Moment, at: Instant, replace_after: f64) {
        self.attempts = 0;
        self.busy = false;
        self.deferred = false;
        let wait = at.saturating_duration_since(now.monotonic());
        let left = self.time_left(now).saturating_sub(wait);
        let replace_from = self.grant.end.map(|_| at + left.mul_f64(replace_after));
        self.replace_from = self.replace_from.or(replace_from);
    }

    /// What to try at `at`.
    pub(super) fn action(&self, at: Instant) -> Action {
        let late = self.replace_from.is_some_and(|from| from <= at);
        if self.lost || late {
            Action::Replace
        } else {
            Action::Authenticate
        }
    }

    /// Notes a failure. The first one after which only a replacement helps is not
    /// followed by a wait.
    pub(super) fn failed(&mut self, kind: ReauthErrorKind) {
        self.attempts = self.attempts.saturating_add(1);
        self.busy = kind == ReauthErrorKind::Busy;
        let hopeless = matches!(
            kind,
            ReauthErrorKind::Disconnected
                | ReauthErrorKind::OutOfStep
                | ReauthErrorKind::Unsupported
        );
        if hopeless && !self.lost {
            self.lost = true;
            self.attempts = 0;
        }
    }

    pub(super) fn is_older_than(&self, generation: u64) -> bool {
        self.grant.renewal == Renewal::WithRotation && self.grant.generation < generation
    }
}
