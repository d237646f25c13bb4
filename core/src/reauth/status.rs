use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ReauthError;
use super::entry::Grant;

/// Names a connection in events and logs, within this process.
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

/// How one live connection is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionStatus {
    /// Which one.
    pub connection: ConnectionId,
    /// The generation of the token that it is logged in with.
    pub generation: u64,
    /// The latest re-authentication's failure; `None` once one has succeeded
    /// since.
    pub last_error: Option<ReauthError>,
    /// The time until the server ends its session; `None` when it never does.
    pub expires_in: Option<Duration>,
}

/// Where a connection's status is kept up to date.
#[derive(Debug)]
pub(super) struct StatusCell {
    connection: ConnectionId,
    values: Mutex<Values>,
}

#[derive(Debug)]
struct Values {
    generation: u64,
    last_error: Option<ReauthError>,
    ends: Option<Instant>,
}

impl StatusCell {
    pub(super) const fn new(connection: ConnectionId, grant: &Grant) -> Self {
        Self {
            connection,
            values: Mutex::new(Values {
                generation: grant.generation,
                last_error: None,
                ends: grant.ends,
            }),
        }
    }

    pub(super) fn succeeded(&self, grant: &Grant) {
        *self.lock() = Values {
            generation: grant.generation,
            last_error: None,
            ends: grant.ends,
        };
    }

    pub(super) fn failed(&self, error: ReauthError) {
        self.lock().last_error = Some(error);
    }

    pub(super) fn read(&self, now: Instant) -> ConnectionStatus {
        let values = self.lock();
        ConnectionStatus {
            connection: self.connection,
            generation: values.generation,
            last_error: values.last_error.clone(),
            expires_in: values.ends.map(|ends| ends.saturating_duration_since(now)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Values> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
