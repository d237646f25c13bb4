//! Keeps an `AUTH` out of raw transactions, from behind commands that block, and
//! from among any others.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use async_lock::{RwLock, RwLockReadGuardArc, RwLockWriteGuardArc};
use event_listener::{Event, EventListener};

use crate::effect::Effects;
use crate::outcome::Outcome;
use crate::transaction::{Instead, Step, Transactions};

mod block;
mod in_flight;
mod sync {
    pub(super) use std::sync::atomic::{AtomicUsize, Ordering};

    pub(super) use event_listener::Event;
}

pub(crate) use block::Block;
use block::Blocked;
pub(crate) use in_flight::Flag;
use in_flight::{Entered, InFlight};

/// Held while an `AUTH` must not be sent. A waiting `AUTH` goes before whatever
/// asks for one later: transactions without a pause don't keep it out.
type Passage = RwLockReadGuardArc<()>;

/// Shared by transactions and commands that block, and an `AUTH`'s alone.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    lock: Arc<RwLock<()>>,
    /// The commands in flight, and the flags that a command has to look out for.
    pub(crate) in_flight: InFlight,
    state: Mutex<State>,
    /// A raw `MULTI` was sent, so that `QUEUED` may be the reply to any command.
    had_transactions: AtomicBool,
    /// An `AUTH` has given up waiting.
    deferred: AtomicBool,
    /// How often nobody waited for a blocked command any more.
    abandoned: AtomicU64,
    /// Told when a command has ended that blocked, and of a loss.
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
    /// To be tried with the connection that takes this one's place.
    Retired,
}

impl Gate {
    fn new(transactions: Transactions) -> Self {
        let gate = Self::default();
        gate.note_torn(&transactions);
        gate.state().transactions = transactions;
        gate
    }

    /// Before a command is sent; waits for an `AUTH` that is under way.
    pub(crate) async fn before(
        &self,
        effects: Effects,
        now: impl Fn() -> Instant + Send,
    ) -> Result<(Passing, Entered<'_>), Refusal> {
        let opens = effects.open == Some(true);
        loop {
            let passage = match opens && !self.is_open() {
                true => Some(self.lock.read_arc().await),
                false => None,
            };
            // Whatever has a passage is not held off.
            let entered = self.in_flight.enter().await;
            let passing = self.passing();
            if effects == Effects::NONE && !self.is_torn() && self.is_in_use() {
                return Ok((passing, entered));
            }
            let mut state = self.state();
            if opens && passage.is_none() && !state.transactions.is_open() {
                // The transaction that it was to be part of has ended.
                continue;
            }
            let step = self.enter(&mut state, effects, now());
            self.note_torn(&state.transactions);
            let step = step?;
            // Of several that waited for the same AUTH, one is the first.
            if step == Step::Opening {
                state.passage = passage;
            }
            if opens {
                self.had_transactions.store(true, Ordering::Release);
            }
            return Ok((Passing { step, ..passing }, entered));
        }
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
        if passing.step == Step::Plain && !outcome.is_loss() {
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

    /// Asks to be told, by what a command's end returns, when an `AUTH` can be
    /// sent.
    pub(crate) fn defer(&self) {
        self.deferred.store(true, Ordering::Release);
    }

    /// Has `install` put another gate in the place of this one, with what is
    /// left of its transactions. No transaction gets in between.
    pub(crate) fn retire(&self, now: Instant, install: impl FnOnce(Self)) {
        let state = &mut *self.state();
        self.in_flight.raise(Flag::Retired);
        install(Self::new(state.transactions.replaced(now)));
    }

    /// The transaction of a retired gate was open after all: its rest is refused
    /// here.
    pub(crate) fn tear(&self, now: Instant) {
        self.state().transactions.tear(now);
        self.in_flight.raise(Flag::Torn);
    }

    /// Whether no command goes by without a look at the state.
    pub(crate) fn is_torn(&self) -> bool {
        self.in_flight.has(Flag::Torn)
    }

    pub(crate) fn is_retired(&self) -> bool {
        self.in_flight.has(Flag::Retired)
    }

    /// The connection is of no more use: [gone](Flag::Gone) or
    /// [out of step](Flag::OutOfStep). Returns whether that is news.
    pub(crate) fn lose(&self, loss: Flag) -> bool {
        let was_lost = self.is_lost();
        let is_news = self.in_flight.raise(loss) && !was_lost;
        self.unblocked.notify(usize::MAX);
        is_news
    }

    /// Waits until no reply can be trusted.
    pub(crate) async fn out_of_step(&self) {
        loop {
            let lost = self.unblocked.listen();
            if self.is_out_of_step() {
                return;
            }
            lost.await;
        }
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.in_flight.has(Flag::Gone) || self.is_out_of_step()
    }

    /// Whether no reply can be trusted.
    pub(crate) fn is_out_of_step(&self) -> bool {
        self.in_flight.has(Flag::OutOfStep)
    }

    /// Whether `QUEUED` may be the reply to a command.
    pub(crate) fn had_transactions(&self) -> bool {
        self.had_transactions.load(Ordering::Acquire)
    }

    /// Whether a command that has no effect on it needs no look at the state,
    /// neither before nor after.
    pub(crate) fn is_clear(&self) -> bool {
        self.in_flight.is_clear()
    }

    fn is_in_use(&self) -> bool {
        !self.is_lost() && !self.is_retired()
    }

    fn note_torn(&self, transactions: &Transactions) {
        if transactions.is_torn() {
            self.in_flight.raise(Flag::Torn);
        } else if self.is_torn() {
            self.in_flight.lower(Flag::Torn);
        }
    }

    fn is_open(&self) -> bool {
        self.state().transactions.is_open()
    }

    /// With the state locked, as it is while this one is retired.
    fn enter(&self, state: &mut State, effects: Effects, now: Instant) -> Result<Step, Refusal> {
        if !self.is_in_use() {
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
