//! The commands that block a connection, or may.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::{EventListener, Flag, Gate, Passage, Refusal};
use crate::effect::Effects;

/// How many there are.
#[derive(Debug, Default)]
pub(super) struct Blocked {
    awaited: usize,
    abandoned: Option<Abandoned>,
}

/// Nobody waits for them any more; the server does not know.
#[derive(Debug)]
struct Abandoned {
    _passage: Passage,
    /// When the last of them is over at the latest; `None`: never.
    until: Option<Instant>,
    /// A reply to what is sent from now on, by the gate's count, says that
    /// they are over.
    count: u64,
}

impl Blocked {
    pub(super) const fn is_any(&self) -> bool {
        self.awaited > 0 || self.abandoned.is_some()
    }

    /// Forgets those that are over; whether there were any.
    fn forget(&mut self, over: impl FnOnce(&Abandoned) -> bool) -> bool {
        self.abandoned
            .take_if(|abandoned| over(abandoned))
            .is_some()
    }
}

/// A command that blocks, or will: while it does, no `AUTH` is sent behind it.
/// Dropped without an [`end`](Self::end), it goes on at the server.
#[derive(Debug)]
#[must_use = "dropping it means that nobody waits for the reply"]
pub(crate) struct Block {
    gate: Arc<Gate>,
    passage: Option<Passage>,
    until: Option<Instant>,
    sent: bool,
}

impl Gate {
    /// Before a command that may block until `until` is sent; waits for an
    /// `AUTH` that is under way. `None`: inside a transaction nothing blocks.
    pub(crate) async fn block(
        self: &Arc<Self>,
        until: Option<Instant>,
        now: impl FnOnce() -> Instant + Send,
    ) -> Result<Option<Block>, Refusal> {
        if self.is_open() {
            return Ok(None);
        }
        let passage = self.lock.read_arc().await;
        let mut state = self.state();
        self.enter(&mut state, Effects::NONE, now())?;
        state.blocked.awaited += 1;
        Ok(Some(Block {
            gate: Arc::clone(self),
            passage: Some(passage),
            until,
            sent: false,
        }))
    }

    /// Whether commands block it that have not ended by `now`.
    pub(crate) fn is_blocked(&self, now: Instant) -> bool {
        let mut state = self.state();
        let over = |abandoned: &Abandoned| abandoned.until.is_some_and(|until| until <= now);
        if state.blocked.forget(over) {
            self.unblocked.notify(usize::MAX);
        }
        state.blocked.is_any()
    }

    /// Told when the next command ends that blocked.
    pub(crate) fn unblocked(&self) -> EventListener {
        self.unblocked.listen()
    }

    /// For [`replied`](Self::replied), before a request is sent.
    pub(crate) fn mark(&self) -> u64 {
        self.abandoned.load(Ordering::Acquire)
    }

    /// A request was answered that was sent after the `mark`; and so were all
    /// before it. Returns whether a deferred `AUTH` can be sent.
    pub(crate) fn replied(&self, mark: u64) -> bool {
        if mark == 0 {
            return false;
        }
        let mut state = self.state();
        let over = state.blocked.forget(|abandoned| abandoned.count <= mark);
        if over {
            self.unblocked.notify(usize::MAX);
        }
        self.is_ready(&state, over)
    }
}

impl Block {
    /// It is about to be sent.
    pub(crate) const fn sent(&mut self) {
        self.sent = true;
    }

    /// It was answered, or the connection is gone. Returns whether a deferred
    /// `AUTH` can be sent.
    pub(crate) fn end(mut self) -> bool {
        let gate = Arc::clone(&self.gate);
        gate.ended(self.passage.take())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        let Some(passage) = self.passage.take() else {
            return;
        };
        if !self.sent {
            // Nobody may be there to have a deferred AUTH sent: it is tried
            // again by itself.
            let _ = self.gate.ended(Some(passage));
            return;
        }
        let mut state = self.gate.state();
        let count = self.gate.abandoned.fetch_add(1, Ordering::AcqRel) + 1;
        self.gate.in_flight.raise(Flag::Abandoned);
        let until = match &state.blocked.abandoned {
            Some(other) => other
                .until
                .max(self.until)
                .filter(|_| other.until.is_some() && self.until.is_some()),
            None => self.until,
        };
        state.blocked.awaited -= 1;
        state.blocked.abandoned = Some(Abandoned {
            _passage: passage,
            until,
            count,
        });
    }
}

impl Gate {
    fn ended(&self, passage: Option<Passage>) -> bool {
        let mut state = self.state();
        state.blocked.awaited -= 1;
        drop(passage);
        self.unblocked.notify(usize::MAX);
        self.is_ready(&state, true)
    }
}
