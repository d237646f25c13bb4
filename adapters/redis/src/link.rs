//! One socket: its connection, whether it is lost, and its transaction state.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_lock::{Mutex as Gate, MutexGuardArc as Passage};
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};

use crate::error;
use crate::transaction::Effect;

pub(crate) struct Link {
    connection: MultiplexedConnection,
    lost: AtomicBool,
    /// Passed by one at a time: an `AUTH` until its reply, or a raw
    /// transaction from before its `MULTI` until the reply to its `EXEC`. It
    /// is fair: transactions without a pause don't keep an `AUTH` out.
    gate: Arc<Gate<()>>,
    /// Held while a raw transaction is open.
    transaction: Mutex<Option<Passage<()>>>,
    /// An `AUTH` has given up waiting for the transaction.
    deferred: AtomicBool,
}

/// A command on its way, and what it does to the transaction state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Passing {
    Closing,
    /// The first `MULTI`; one inside a transaction changes nothing.
    Opening,
    Plain,
}

impl Link {
    pub(crate) fn new(connection: MultiplexedConnection) -> Self {
        Self {
            connection,
            lost: AtomicBool::new(false),
            gate: Arc::default(),
            transaction: Mutex::new(None),
            deferred: AtomicBool::new(false),
        }
    }

    pub(crate) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Takes note of an error; whether the link is lost by it, and was not.
    pub(crate) fn note(&self, error: &RedisError) -> bool {
        error::is_lost(error) && !self.lost.swap(true, Ordering::AcqRel)
    }

    /// Before a command is sent. What opens a transaction waits for an `AUTH`
    /// that is under way.
    pub(crate) async fn before(&self, effect: Effect) -> Passing {
        match effect {
            Effect::None => Passing::Plain,
            Effect::Closes => Passing::Closing,
            Effect::Opens if self.transaction().is_some() => Passing::Plain,
            Effect::Opens => {
                let passage = self.gate.lock_arc().await;
                *self.transaction() = Some(passage);
                Passing::Opening
            }
        }
    }

    /// After a command has ended; whether an `AUTH` can be sent now that was
    /// deferred.
    ///
    /// Only a reply counts: a command that timed out or was dropped may not
    /// have been sent, or may have been. An error in reply to `EXEC` leaves no
    /// transaction behind, and one in reply to `MULTI` opens none.
    pub(crate) fn after<T>(&self, passing: Passing, result: &RedisResult<T>) -> bool {
        let error = result.as_ref().err();
        let answered = error.is_none_or(|error| !error.is_io_error());
        let over = match passing {
            Passing::Closing => answered,
            Passing::Opening => answered && error.is_some(),
            Passing::Plain => false,
        };
        let passage = over.then(|| self.transaction().take()).flatten();
        passage.is_some() && self.deferred.swap(false, Ordering::AcqRel)
    }

    /// Waits for the end of a transaction, and keeps the next from beginning
    /// until the passage is dropped.
    pub(crate) async fn pass(&self) -> Passage<()> {
        self.gate.lock_arc().await
    }

    /// Asks [`after`](Self::after) to tell of the transaction's end.
    pub(crate) fn defer(&self) {
        self.deferred.store(true, Ordering::Release);
    }

    fn transaction(&self) -> MutexGuard<'_, Option<Passage<()>>> {
        self.transaction
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
