use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::ReauthError;

/// Identifies a connection in events and logs, within this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

impl ConnectionId {
    /// An id that no other connection has. For client adapters.
    #[must_use]
    pub fn unique() -> Self {
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

impl ConnectionStatus {
    /// The status of a connection that is logged in with the token of this
    /// generation, has not failed and never ends. For client adapters.
    #[must_use]
    pub const fn new(connection: ConnectionId, generation: u64) -> Self {
        Self {
            connection,
            generation,
            last_error: None,
            expires_in: None,
        }
    }
}
