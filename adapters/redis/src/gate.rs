//! Keeps an `AUTH` out of raw transactions, and from behind commands that block.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_lock::{RwLock, RwLockReadGuardArc, RwLockWriteGuardArc};
use event_listener::{Event, EventListener};

use crate::effect::Effects;
use crate::outcome::Outcome;
use crate::transaction::{Instead, Step, Transactions};

mod block;

pub(crate) use block::Block;
use block::Blocked;

/// Held while an `AUTH` must not be sent. A waiting `AUTH` goes before whatever
/// asks for one later: transactions without a pause don't keep it out.
type Passage = RwLockReadGuardArc<()>;

/// Shared by transactions and commands that block, and an `AUTH`'s alone.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    lock: Arc<RwLock<()>>,
    state: Mutex<State>,
    /// There is a torn transaction: no command goes by without a look at it.
    torn: AtomicBool,
    /// Another connection is in place of this one.
    retired: AtomicBool,
    /// An `AUTH` has given up waiting.
    deferred: AtomicBool,
    /// How often nobody waited for a blocked command any more.
    abandoned: AtomicU64,
    /// Told when a command has ended that blocked.
    unblocked: Event,
}

#[derive(Debug, Default)]
struct State {
    transactions: Transactions,
    /// From before the `MULTI` until the reply to the `EXEC`.
    passage: Option<Passage>,
    blocked: Blocked,
}

/// A command on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passing {
    step: Step,
    /// How many blocked commands had been abandoned when it was sent: a reply
    /// to it says that they have ended.
    abandoned: u64,
}

/// Why a command can't be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Instead(Instead),
    /// To be tried with the connection that took this one's place.
    Retired,
}

impl Gate {
    fn new(transactions: Transactions) -> Self {
        Self {
            torn: AtomicBool::new(transactions.is_torn()),
            state: Mutex::new(State {
                transactions,
                ..State::default()
            }),
            ..Self::default()
        }
    }

    /// Before a command is sent. What opens a transaction waits for an `AUTH`
    /// that is under way.
    pub(crate) async fn before(
        &self,
        effects: Effects,
        now: impl FnOnce() -> Instant + Send,
    ) -> Result<Passing, Refusal> {
        let passing = self.passing();
        if effects == Effects::NONE && !self.is_torn() {
            return Ok(passing);
        }
        let passage = match effects.open {
            Some(true) if !self.is_open() => Some(self.lock.read_arc().await),
            _ => None,
        };
        let mut state = self.state();
        let step = self.enter(&mut state, effects, now());
        self.torn
            .store(state.transactions.is_torn(), Ordering::Release);
        let step = step?;
        // Of several that waited for the same AUTH, one is the first.
        if step == Step::Opening {
            state.passage = passage;
        }
        Ok(Passing { step, ..passing })
    }

    /// Of a command that does nothing to the transaction state.
    pub(crate) fn passing(&self) -> Passing {
        Passing {
            step: Step::Plain,
            abandoned: self.mark(),
        }
    }

    /// After a command has ended; whether an `AUTH` can be sent now that was
    /// deferred.
    pub(crate) fn after(&self, passing: Passing, outcome: Outcome) -> bool {
        let replied = matches!(outcome, Outcome::Done | Outcome::Refused);
        let ready = replied && self.replied(passing.abandoned);
        if passing.step == Step::Plain && outcome != Outcome::Lost {
            return ready;
        }
        let mut state = self.state();
        state.transactions.ended(passing.step, outcome);
        let over = !state.transactions.is_open() && state.passage.take().is_some();
        self.is_ready(&state, over) || ready
    }

    /// A command is not sent, for this connection is lost, and its caller is
    /// told so.
    pub(crate) fn failed(&self, effects: Effects) {
        self.state().transactions.failed(effects);
    }

    /// Waits until no transaction is open and no command blocks, and keeps the
    /// next from beginning until the guard is dropped.
    pub(crate) async fn pass(&self) -> RwLockWriteGuardArc<()> {
        self.lock.write_arc().await
    }

    /// The same where that is so already, as at the beginning.
    pub(crate) fn shut(&self) -> Option<RwLockWriteGuardArc<()>> {
        self.lock.try_write_arc()
    }

    /// Asks to be told, by what a command's end returns, when an `AUTH` can be
    /// sent.
    pub(crate) fn defer(&self) {
        self.deferred.store(true, Ordering::Release);
    }

    /// Has `install` put another gate in the place of this one, with what is
    /// left of its transactions. No transaction gets in between.
    pub(crate) fn retire(&self, now: Instant, install: impl FnOnce(Self)) {
        let state = &mut *self.state();
        self.retired.store(true, Ordering::Release);
        install(Self::new(state.transactions.replaced(now)));
    }

    /// The transaction of a retired gate was open after all: its rest is refused
    /// here.
    pub(crate) fn tear(&self, now: Instant) {
        self.state().transactions.tear(now);
        self.torn.store(true, Ordering::Release);
    }

    /// Whether no command goes by without a look at the state.
    pub(crate) fn is_torn(&self) -> bool {
        self.torn.load(Ordering::Acquire)
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    /// Whether a command that has no effect on it needs no look at the state,
    /// neither before nor after.
    pub(crate) fn is_clear(&self) -> bool {
        !self.is_torn() && !self.is_retired() && self.mark() == 0
    }

    fn is_open(&self) -> bool {
        self.state().transactions.is_open()
    }

    /// With the state locked, as it is while this one is retired.
    fn enter(&self, state: &mut State, effects: Effects, now: Instant) -> Result<Step, Refusal> {
        if self.is_retired() {
            return Err(Refusal::Retired);
        }
        let step = state.transactions.enter(effects, now);
        step.map_err(Refusal::Instead)
    }

    /// Whether somebody is to be told, now that something is over.
    fn is_ready(&self, state: &State, over: bool) -> bool {
        over && !state.transactions.is_open()
            && !state.blocked.is_any()
            && self.deferred.swap(false, Ordering::AcqRel)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passing {
    /// Of a command that was sent while the gate was [clear](Gate::is_clear).
    pub(crate) const CLEAR: Self = Self {
        step: Step::Plain,
        abandoned: 0,
    };
}

#[cfg(test)]
mod tests;
