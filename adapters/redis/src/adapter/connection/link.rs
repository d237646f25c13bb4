//! One socket: its connection, whether it is lost, and its transaction state.

use std::sync::atomic::{AtomicBool, Ordering};

use super::redis::aio::MultiplexedConnection;

use crate::gate::Gate;

pub(crate) struct Link {
    connection: MultiplexedConnection,
    lost: AtomicBool,
    pub(crate) gate: Gate,
}

impl Link {
    pub(crate) fn new(connection: MultiplexedConnection) -> Self {
        Self {
            connection,
            lost: AtomicBool::new(false),
            gate: Gate::default(),
        }
    }

    pub(crate) fn connection(&self) -> MultiplexedConnection {
        self.connection.clone()
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// It is lost; whether that is news.
    pub(crate) fn lose(&self) -> bool {
        !self.lost.swap(true, Ordering::AcqRel)
    }
}
