//! One socket: its connection, whether it is lost, and its transaction state.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::lock::Mutex;
use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult};

use crate::error;
use crate::transaction::Effect;

pub(crate) struct Link {
    connection: MultiplexedConnection,
    lost: AtomicBool,
    /// Held while an `AUTH` is under way, and while a `MULTI` is announced: so
    /// neither gets in front of the other between its look at `in_multi` and
    /// its sending.
    gate: Mutex<()>,
    in_multi: AtomicBool,
}

impl Link {
    pub(crate) fn new(connection: MultiplexedConnection) -> Self {
        Self {
            connection,
            lost: AtomicBool::new(false),
            gate: Mutex::new(()),
            in_multi: AtomicBool::new(false),
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
    pub(crate) async fn before(&self, effect: Effect) {
        if effect == Effect::Opens {
            let _gate = self.gate.lock().await;
            self.in_multi.store(true, Ordering::Release);
        }
    }

    /// After a command was answered; whether a transaction has ended.
    ///
    /// Only a reply counts: a command that timed out or was dropped may not
    /// have been sent, and then the transaction is still open. A reply that is
    /// an error counts, since it too leaves no transaction behind.
    pub(crate) fn after<T>(&self, effect: Effect, result: &RedisResult<T>) -> bool {
        let answered = result
            .as_ref()
            .err()
            .is_none_or(|error| !error.is_io_error());
        effect == Effect::Closes && answered && self.in_multi.swap(false, Ordering::AcqRel)
    }

    /// Runs `auth` unless a transaction is open; none is opened meanwhile.
    pub(crate) async fn outside_transaction<T>(
        &self,
        auth: impl Future<Output = T> + Send,
    ) -> Option<T> {
        let _gate = self.gate.lock().await;
        if self.in_multi.load(Ordering::Acquire) {
            return None;
        }
        Some(auth.await)
    }
}
