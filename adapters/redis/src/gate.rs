//! Keeps an `AUTH` out of raw transactions.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_lock::{RwLock, RwLockReadGuardArc, RwLockWriteGuardArc};

use crate::effect::Effect;
use crate::outcome::Outcome;

/// Shared by transactions, and an `AUTH`'s alone. A waiting `AUTH` goes before
/// a `MULTI` that comes later: transactions without a pause don't keep it out.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    lock: Arc<RwLock<()>>,
    /// Held from before the `MULTI` until the reply to the `EXEC`.
    transaction: Mutex<Option<RwLockReadGuardArc<()>>>,
    /// An `AUTH` has given up waiting for the transaction.
    deferred: AtomicBool,
}

/// A command on its way, and what it does to the transaction state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    /// Ends the transaction that was open when it was sent.
    Closing,
    /// The first `MULTI`; one inside a transaction changes nothing.
    Opening,
    Plain,
}

impl Gate {
    /// Before a command is sent. What opens a transaction waits for an `AUTH`
    /// that is under way.
    pub(crate) async fn before(&self, effect: Effect) -> Passing {
        match effect {
            Effect::None => Passing::Plain,
            Effect::Closes if self.is_open() => Passing::Closing,
            Effect::Closes => Passing::Plain,
            Effect::Opens if self.is_open() => Passing::Plain,
            Effect::Opens => {
                let passage = self.lock.read_arc().await;
                self.open(passage)
            }
        }
    }

    /// After a command has ended; whether an `AUTH` can be sent now that was
    /// deferred.
    ///
    /// Only a reply counts: a command that timed out or was dropped may not
    /// have been sent, or may have been. An error in reply to `EXEC` leaves no
    /// transaction behind, and one in reply to `MULTI` opens none.
    pub(crate) fn after(&self, passing: Passing, outcome: Outcome) -> bool {
        let over = match passing {
            Passing::Closing => matches!(outcome, Outcome::Done | Outcome::Refused),
            Passing::Opening => outcome == Outcome::Refused,
            Passing::Plain => false,
        };
        let passage = over.then(|| self.transaction().take()).flatten();
        passage.is_some() && self.deferred.swap(false, Ordering::AcqRel)
    }

    /// Waits for the end of a transaction, and keeps the next from beginning
    /// until the guard is dropped.
    pub(crate) async fn pass(&self) -> RwLockWriteGuardArc<()> {
        self.lock.write_arc().await
    }

    /// Asks [`after`](Self::after) to tell of the transaction's end.
    pub(crate) fn defer(&self) {
        self.deferred.store(true, Ordering::Release);
    }

    fn is_open(&self) -> bool {
        self.transaction().is_some()
    }

    /// Of several that waited for the same `AUTH`, one is the first.
    fn open(&self, passage: RwLockReadGuardArc<()>) -> Passing {
        let mut transaction = self.transaction();
        if transaction.is_some() {
            return Passing::Plain;
        }
        *transaction = Some(passage);
        Passing::Opening
    }

    fn transaction(&self) -> MutexGuard<'_, Option<RwLockReadGuardArc<()>>> {
        self.transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt;
    use futures::future::Future;
    use futures::task::noop_waker_ref;

    use super::*;

    fn begun(gate: &Gate, effect: Effect) -> Option<Passing> {
        gate.before(effect).now_or_never()
    }

    fn is_shut(gate: &Gate) -> bool {
        gate.pass().now_or_never().is_none()
    }

    #[test]
    fn an_auth_waits_from_multi_to_exec() {
        let gate = Gate::default();
        let multi = begun(&gate, Effect::Opens).unwrap();
        assert!(is_shut(&gate));
        assert!(!gate.after(multi, Outcome::Done));
        assert!(is_shut(&gate));
        let exec = begun(&gate, Effect::Closes).unwrap();
        assert!(is_shut(&gate));
        assert!(!gate.after(exec, Outcome::Done));
        assert!(!is_shut(&gate));
    }

    #[test]
    fn a_multi_waits_for_an_auth() {
        let gate = Gate::default();
        let auth = gate.pass().now_or_never().unwrap();
        assert_eq!(begun(&gate, Effect::Opens), None);
        assert_eq!(begun(&gate, Effect::None), Some(Passing::Plain));
        drop(auth);
        assert_eq!(begun(&gate, Effect::Opens), Some(Passing::Opening));
    }

    #[test]
    fn a_waiting_auth_goes_before_a_later_multi() {
        let gate = Gate::default();
        let _ = begun(&gate, Effect::Opens);
        let mut auth = pin!(gate.pass());
        let mut cx = std::task::Context::from_waker(noop_waker_ref());
        assert!(auth.as_mut().poll(&mut cx).is_pending());
        gate.after(Passing::Closing, Outcome::Done);
        assert_eq!(begun(&gate, Effect::Opens), None);
        assert!(auth.as_mut().poll(&mut cx).is_ready());
    }

    /// One of them may never end its transaction.
    #[test]
    fn two_that_waited_for_the_same_auth_do_not_wait_for_each_other() {
        let gate = Gate::default();
        let auth = gate.pass().now_or_never().unwrap();
        let mut cx = std::task::Context::from_waker(noop_waker_ref());
        let mut one = pin!(gate.before(Effect::Opens));
        let mut two = pin!(gate.before(Effect::Opens));
        assert!(one.as_mut().poll(&mut cx).is_pending());
        assert!(two.as_mut().poll(&mut cx).is_pending());
        drop(auth);
        assert_eq!(one.now_or_never(), Some(Passing::Opening));
        assert_eq!(two.now_or_never(), Some(Passing::Plain));
    }

    #[test]
    fn a_multi_that_is_dropped_while_it_waits_leaves_nothing_behind() {
        let gate = Gate::default();
        let auth = gate.pass().now_or_never().unwrap();
        assert_eq!(begun(&gate, Effect::Opens), None);
        drop(auth);
        assert!(!is_shut(&gate));
    }

    #[test]
    fn only_a_reply_ends_a_transaction() {
        let gate = Gate::default();
        let multi = begun(&gate, Effect::Opens).unwrap();
        assert!(!gate.after(multi, Outcome::Unknown));
        assert!(!gate.after(Passing::Closing, Outcome::Unknown));
        assert!(is_shut(&gate));
        gate.after(Passing::Closing, Outcome::Refused);
        assert!(!is_shut(&gate));
    }

    #[test]
    fn a_multi_that_is_refused_opens_nothing() {
        let gate = Gate::default();
        let multi = begun(&gate, Effect::Opens).unwrap();
        gate.after(multi, Outcome::Refused);
        assert!(!is_shut(&gate));
    }

    #[test]
    fn what_was_sent_before_a_multi_does_not_end_its_transaction() {
        let gate = Gate::default();
        let pipeline = begun(&gate, Effect::Closes).unwrap();
        let _ = begun(&gate, Effect::Opens);
        gate.after(pipeline, Outcome::Done);
        assert!(is_shut(&gate));
    }

    #[test]
    fn the_end_is_told_to_whoever_was_deferred_once() {
        let gate = Gate::default();
        for told in [true, false] {
            let _ = begun(&gate, Effect::Opens);
            if told {
                gate.defer();
            }
            assert_eq!(gate.after(Passing::Closing, Outcome::Done), told);
        }
    }
}
