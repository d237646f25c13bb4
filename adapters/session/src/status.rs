use std::sync::{Mutex, MutexGuard, PoisonError};

use redis_authx::{ConnectionId, ConnectionStatus, Moment, ReauthError};

use crate::entry::Grant;

/// Holds a connection's status, for the registration and the driver.
#[derive(Debug)]
pub(super) struct StatusCell {
    connection: ConnectionId,
    values: Mutex<Values>,
}

#[derive(Debug)]
struct Values {
    generation: u64,
    last_error: Option<ReauthError>,
    end: Option<Moment>,
}

impl StatusCell {
    pub(super) const fn new(connection: ConnectionId, grant: &Grant) -> Self {
        Self {
            connection,
            values: Mutex::new(Values {
                generation: grant.generation,
                last_error: None,
                end: grant.end,
            }),
        }
    }

    pub(super) fn succeeded(&self, grant: &Grant) {
        *self.lock() = Values {
            generation: grant.generation,
            last_error: None,
            end: grant.end,
        };
    }

    pub(super) fn failed(&self, error: ReauthError) {
        self.lock().last_error = Some(error);
    }

    pub(super) fn extended(&self, end: Option<Moment>) {
        self.lock().end = end;
    }

    pub(super) fn read(&self, now: Moment) -> ConnectionStatus {
        let values = self.lock();
        let mut status = ConnectionStatus::new(self.connection, values.generation);
        status.last_error.clone_from(&values.last_error);
        status.expires_in = values.end.map(|end| end.time_left(now));
        status
    }

    fn lock(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
