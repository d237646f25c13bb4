use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::ReauthError;
use super::entry::Grant;
use crate::Moment;

/// Identifies a connection in events and logs, within this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// A snapshot of one live connection's state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// The connection.
    pub connection: ConnectionId,
    /// The generation of the token that it is logged in with.
    pub generation: u64,
    /// The latest re-authentication's failure; `None` once one has succeeded
    /// since.
    pub last_error: Option<ReauthError>,
    /// The time until the server ends its session; `None` when it never does.
    pub expires_in: Option<Duration>,
}

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
        ConnectionStatus {
            connection: self.connection,
            generation: values.generation,
            last_error: values.last_error.clone(),
            expires_in: values.end.map(|end| end.time_left(now)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
