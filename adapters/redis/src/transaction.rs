//! The transaction state of a connection: an open `MULTI`, a `WATCH` in force,
//! and what is left of both when the connection is replaced.

use std::time::{Duration, Instant};

use crate::effect::Effects;
use crate::outcome::Outcome;

/// How long the rest of a transaction is refused that a replacement has torn:
/// longer than an application takes from one command to the next, and not so
/// long that one which has gone away is missed.
const TORN: Duration = Duration::from_secs(30);

/// What the server knows of one connection's transactions, as far as the
/// commands tell.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    stage: Stage,
    watching: bool,
    /// A `WATCH` was lost with an earlier connection.
    unchecked: bool,
    /// A `MULTI` was lost with the connection before; until when its rest is
    /// refused.
    torn: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    None,
    /// A `MULTI` was sent, and may have come to nothing.
    Sent,
    /// Its reply has come.
    Open,
    /// An `EXEC` or `DISCARD` was sent.
    Ending,
}

/// A command on its way, and what it does to the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Ends the transaction that was open when it was sent.
    Closing,
    /// The first `MULTI`; one inside a transaction changes nothing.
    Opening,
    Plain,
    /// The first `WATCH`.
    Watching,
}

/// A command must not be sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instead {
    /// It belongs to a transaction that is lost: `EXEC` fails, and `DISCARD`
    /// has nothing left to do.
    Torn {
        /// There was a `WATCH`: to an `EXEC` the answer is that something has
        /// changed.
        unchecked: bool,
    },
    /// An `EXEC` whose `WATCH` was lost: the answer is that something has
    /// changed.
    Unchecked {
        /// What is to be sent instead, if anything.
        undo: Option<&'static str>,
    },
}

impl Transactions {
    /// Whether commands are queued, or may be.
    pub(crate) fn is_open(&self) -> bool {
        self.stage != Stage::None
    }

    /// Whether even commands that do nothing to the state have to
    /// [`enter`](Self::enter).
    pub(crate) const fn is_torn(&self) -> bool {
        self.torn.is_some()
    }

    /// Whether there is nothing of a transaction, past or present.
    #[cfg(feature = "r2d2")]
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_open() && !self.is_torn() && !self.watching && !self.unchecked
    }

    /// Before a command is sent, or commands in one piece.
    pub(crate) fn enter(&mut self, effects: Effects, now: Instant) -> Result<Step, Instead> {
        if self.torn.is_some_and(|until| until > now) && !effects.anew {
            let ends = effects.open == Some(false);
            let unchecked = self.unchecked;
            if ends {
                self.torn = None;
                self.unchecked = false;
                self.watching = false;
            }
            return Err(Instead::Torn { unchecked });
        }
        self.torn = None;
        if effects.executes && self.unchecked {
            let undo = match self.watching {
                _ if self.is_open() => Some("DISCARD"),
                true => Some("UNWATCH"),
                false => None,
            };
            self.unchecked = false;
            return Err(Instead::Unchecked { undo });
        }
        let is_queued = effects.open.is_none() && self.is_open();
        let was_watching = self.watching;
        if let Some(watching) = effects.watching.filter(|_| !is_queued) {
            self.watching = watching;
            self.unchecked &= watching;
        }
        Ok(match effects.open {
            Some(true) if !self.is_open() => {
                self.stage = Stage::Sent;
                Step::Opening
            }
            Some(false) if self.is_open() => {
                self.stage = Stage::Ending;
                Step::Closing
            }
            None if self.watching && !was_watching => Step::Watching,
            _ => Step::Plain,
        })
    }

    /// After a command has ended.
    ///
    /// Only a reply counts: a command that timed out or was dropped may not
    /// have been sent, or may have been. An error in reply to `EXEC` leaves no
    /// transaction behind, and one in reply to `MULTI` opens none.
    pub(crate) fn ended(&mut self, step: Step, outcome: Outcome) {
        match (step, outcome) {
            (Step::Opening, Outcome::Done) if self.stage == Stage::Sent => {
                self.stage = Stage::Open;
            }
            (Step::Opening, Outcome::Refused)
            | (Step::Closing, Outcome::Done | Outcome::Refused)
            // Whoever is told that the connection is gone knows that its
            // transaction is.
            | (_, Outcome::Lost | Outcome::OutOfStep) => self.stage = Stage::None,
            (Step::Watching, Outcome::Refused) => self.watching = false,
            _ => {}
        }
    }

    /// A command could not be sent, and its caller is told so.
    pub(crate) fn failed(&mut self, effects: Effects) {
        self.stage = Stage::None;
        if effects.watching == Some(false) {
            self.watching = false;
            self.unchecked = false;
        }
    }

    /// A `MULTI` on the connection before has turned out to be open.
    pub(crate) fn tear(&mut self, now: Instant) {
        if !self.is_open() {
            self.torn = Some(now + TORN);
        }
    }

    /// The state of the connection that takes the place of this one.
    pub(crate) fn replaced(&self, now: Instant) -> Self {
        let torn = (self.stage == Stage::Open).then(|| now + TORN);
        Self {
            stage: Stage::None,
            watching: false,
            unchecked: self.watching || self.unchecked,
            torn: torn.or(self.torn),
        }
    }
}

#[cfg(test)]
mod tests;
