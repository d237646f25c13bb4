//! One socket: its connection, and whether and when a command may be sent on it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_lock::OnceCell;

use super::redis::aio::MultiplexedConnection;
use super::redis::{Cmd, RedisResult, cmd};

use crate::gate::{Flag, Gate};

/// A reply to what blocks, or to what is sent before it, may come this much later
/// than its time is up: the server pauses, or other commands are before it. To
/// give up earlier could mean that an element is popped and nobody gets it.
pub(super) const STALL: Duration = Duration::from_secs(60);

pub(crate) struct Link {
    connection: MultiplexedConnection,
    /// What the server calls it, once asked; `None` inside: it does not say.
    id: OnceCell<Option<u64>>,
    held: OnceLock<Box<Cmd>>,
    pub(crate) gate: Arc<Gate>,
}

impl Link {
    pub(crate) fn new(connection: MultiplexedConnection, gate: Gate) -> Self {
        Self {
            connection,
            id: OnceCell::new(),
            held: OnceLock::new(),
            gate: Arc::new(gate),
        }
    }

    pub(crate) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.gate.is_lost()
    }

    /// Whether a command that has no effect on it can be sent as it is.
    pub(super) fn is_clear(&self) -> bool {
        self.gate.is_clear()
    }

    /// It is gone; whether that is news.
    pub(crate) fn lose(&self) -> bool {
        self.gate.lose(Flag::Gone)
    }

    /// What a command that blocks it can be ended by from another connection.
    /// Asked for before the first such command is sent: behind it, the answer
    /// would come too late.
    pub(crate) async fn id(&self) -> Option<u64> {
        let ask = async || {
            let mut connection = self.connection();
            connection.set_response_timeout(STALL);
            let asked: RedisResult<u64> =
                cmd("CLIENT").arg("ID").query_async(&mut connection).await;
            match asked {
                Ok(id) => Ok(Some(id)),
                // Asked again the next time.
                Err(error) if error.is_io_error() => Err(()),
                Err(_) => Ok(None),
            }
        };
        self.id.get_or_try_init(ask).await.ok().copied().flatten()
    }

    /// Keeps a command for [`held`](Self::held), the first of its kind.
    pub(super) fn keep_held(&self, make: impl FnOnce() -> Option<Cmd>) {
        if self.held.get().is_none()
            && let Some(command) = make()
        {
            let _ = self.held.set(Box::new(command));
        }
    }

    /// One that this connection's user may send, that `CLIENT PAUSE` holds
    /// back and that does nothing.
    pub(super) fn held(&self) -> Option<&Cmd> {
        self.held.get().map(Box::as_ref)
    }
}
