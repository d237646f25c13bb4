//! What is to go wrong with log-ins.

use std::time::Duration;

/// How a log-in is refused on request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// By Redis itself, in its own words: `WRONGPASS`.
    #[default]
    WrongPass,
    /// With this error, as in `NOPERM this user has no permissions`. Only where
    /// the connection is logged in already and the store runs scripts; elsewhere
    /// Redis words the refusal.
    Error(String),
    /// Not at all: no reply to it ever comes, while the commands behind it are
    /// answered.
    Unanswered,
}

#[derive(Default)]
pub(super) struct Plan {
    pub(super) refuse_next: (u64, Refusal),
    /// On connections that are logged in; so below.
    pub(super) refuse_next_again: (u64, Refusal),
    pub(super) drop_behind_replies: bool,
    pub(super) delay_next: (u64, Duration),
    pub(super) delay_next_again: (u64, Duration),
    pub(super) delay: Duration,
    /// Tokens up to this number are refused.
    pub(super) refused_until: u64,
    pub(super) refuse_connections: bool,
}

impl Plan {
    /// The stall for the log-in at hand.
    pub(super) fn take_delay(&mut self, again: bool) -> Duration {
        let planned = again.then(|| take(&mut self.delay_next_again)).flatten();
        let planned = planned.or_else(|| take(&mut self.delay_next));
        planned.unwrap_or(self.delay)
    }

    /// The refusal of the log-in at hand, whatever its token.
    pub(super) fn take_refusal(&mut self, again: bool) -> Option<Refusal> {
        let planned = again.then(|| take(&mut self.refuse_next_again)).flatten();
        planned.or_else(|| take(&mut self.refuse_next))
    }
}

/// One of so many.
fn take<T: Clone>((left, planned): &mut (u64, T)) -> Option<T> {
    *left = left.checked_sub(1)?;
    Some(planned.clone())
}
