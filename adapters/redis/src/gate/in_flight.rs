//! The commands in flight on one connection, the `AUTH` that holds others off until
//! it is alone, and whatever else a command has to look out for.
//!
//! Compiled twice: here, and with loom's atomics by `tests/in_flight.rs`, which
//! runs through every order in which threads can meet in it.

use super::sync::{AtomicUsize, Event, Ordering};

/// Commands are held off.
const HELD: usize = 1;
/// One command: the bits below are flags.
const ONE: usize = 1 << 6;

/// What keeps a command from being sent without a look at the rest of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Flag {
    /// The connection is closed, or logged out.
    Gone = 1 << 1,
    /// Its replies no longer belong to its requests.
    OutOfStep = 1 << 2,
    /// Another connection is in its place.
    Retired = 1 << 3,
    /// There is a torn transaction.
    Torn = 1 << 4,
    /// The caller of a command that blocks it has given up, now or earlier.
    Abandoned = 1 << 5,
}

/// A command is in flight from before it is sent until it is answered, or its
/// caller has given up.
///
/// All is in one word, so that no command gets between a look at the flags and the
/// count.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    word: AtomicUsize,
    drained: Event,
    resumed: Event,
}

/// What is known of the connection when a command has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Left {
    /// Whether its replies belong to its requests.
    pub(crate) is_in_step: bool,
    /// Whether no other command was in flight.
    pub(crate) was_last: bool,
}

/// Counts one command for as long as it exists.
#[derive(Debug)]
pub(crate) struct Entered<'a>(&'a InFlight);

/// Holds commands off for as long as it exists.
#[derive(Debug)]
pub(crate) struct HoldOff<'a>(&'a InFlight);

impl InFlight {
    /// Before a command is sent that has no effect on its connection; `false` while
    /// commands are held off, and with any flag. A success is followed by one
    /// [`leave`](Self::leave).
    pub(crate) fn try_enter(&self) -> bool {
        let is_free = flags(self.word.fetch_add(ONE, Ordering::AcqRel)) == 0;
        if !is_free {
            self.leave();
        }
        is_free
    }

    /// Before any command is sent; waits while commands are held off.
    pub(crate) async fn enter(&self) -> Entered<'_> {
        loop {
            let word = self.word.fetch_add(ONE, Ordering::AcqRel);
            let entered = Entered(self);
            if word & HELD == 0 {
                return entered;
            }
            drop(entered);
            let resumed = self.resumed.listen();
            if self.word.load(Ordering::Acquire) & HELD != 0 {
                resumed.await;
            }
        }
    }

    /// A command has been answered, or is given up.
    pub(crate) fn leave(&self) -> Left {
        let word = self.word.fetch_sub(ONE, Ordering::AcqRel);
        let was_last = word / ONE == 1;
        if word & HELD != 0 && was_last {
            self.drained.notify(1);
        }
        Left {
            is_in_step: word & Flag::OutOfStep as usize == 0,
            was_last,
        }
    }

    /// Holds off commands from now on. One at a time: the caller sees to it.
    pub(crate) fn hold_off(&self) -> HoldOff<'_> {
        self.word.fetch_or(HELD, Ordering::AcqRel);
        HoldOff(self)
    }

    /// Sets a flag; whether that is news.
    pub(crate) fn raise(&self, flag: Flag) -> bool {
        self.word.fetch_or(flag as usize, Ordering::AcqRel) & flag as usize == 0
    }

    pub(crate) fn lower(&self, flag: Flag) {
        self.word.fetch_and(!(flag as usize), Ordering::AcqRel);
    }

    pub(crate) fn has(&self, flag: Flag) -> bool {
        self.word.load(Ordering::Acquire) & flag as usize != 0
    }

    /// Whether there is no flag.
    pub(crate) fn is_clear(&self) -> bool {
        flags(self.word.load(Ordering::Acquire)) & !HELD == 0
    }
}

const fn flags(word: usize) -> usize {
    word & (ONE - 1)
}

impl HoldOff<'_> {
    /// Waits until no command is in flight. One whose caller has given up may
    /// still be on its way to the server: what is sent from now on comes behind
    /// it.
    pub(crate) async fn drained(&self) {
        let Self(in_flight) = self;
        let is_drained = || in_flight.word.load(Ordering::Acquire) < ONE;
        while !is_drained() {
            let drained = in_flight.drained.listen();
            if !is_drained() {
                drained.await;
            }
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        let Self(in_flight) = self;
        in_flight.leave();
    }
}

impl Drop for HoldOff<'_> {
    fn drop(&mut self) {
        let Self(in_flight) = self;
        in_flight.word.fetch_and(!HELD, Ordering::AcqRel);
        in_flight.resumed.notify(usize::MAX);
    }
}
