//! One socket: its connection, whether it is lost, and its transaction state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_lock::OnceCell;

use super::redis::aio::MultiplexedConnection;
use super::redis::{RedisResult, cmd};

use crate::gate::Gate;

pub(crate) struct Link {
    connection: MultiplexedConnection,
    lost: AtomicBool,
    /// What the server calls it, once asked; `None` inside: it does not say.
    id: OnceCell<Option<u64>>,
    pub(crate) gate: Arc<Gate>,
}

impl Link {
    pub(crate) fn new(connection: MultiplexedConnection, gate: Gate) -> Self {
        Self {
            connection,
            lost: AtomicBool::new(false),
            id: OnceCell::new(),
            gate: Arc::new(gate),
        }
    }

    pub(crate) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// Whether a command that has no effect on it can be sent as it is.
    pub(super) fn is_clear(&self) -> bool {
        !self.is_lost() && self.gate.is_clear()
    }

    /// It is lost; whether that is news.
    pub(crate) fn lose(&self) -> bool {
        !self.lost.swap(true, Ordering::AcqRel)
    }

    /// What a command that blocks it can be ended by from another connection.
    /// Asked for before the first such command is sent: behind it, the answer
    /// would come too late.
    pub(crate) async fn id(&self) -> Option<u64> {
        let ask = async || {
            let mut connection = self.connection();
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
}
