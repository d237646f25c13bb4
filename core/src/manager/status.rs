use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::ProviderError;
use crate::machine::Snapshot;
use crate::shared::Shared;

/// A snapshot of a [`TokenManager`](crate::TokenManager)'s state.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ManagerStatus {
    /// Whether there is a valid token.
    pub state: ManagerState,
    /// The number of rotations so far: the generation of the latest token, 0
    /// before the first.
    pub generation: u64,
    /// The time until the current token expires; `None` without one, and for one
    /// that never expires.
    pub expires_in: Option<Duration>,
    /// The latest failure; `None` once a request has succeeded since.
    pub last_error: Option<ProviderError>,
    /// The number of requests that returned a token.
    pub refreshes: u64,
    /// The number of requests that failed.
    pub failures: u64,
    /// The number of live connections that use these credentials through a client
    /// adapter.
    pub connections: usize,
}

/// Whether a manager has a valid token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ManagerState {
    /// Waiting for the first token, or for the next one where the last has
    /// expired and nothing has failed.
    Pending,
    /// The manager has stopped.
    Stopped,
    /// There is no valid token, and requests fail.
    Unavailable,
    /// There is a valid token.
    Valid,
}

impl ManagerState {
    /// The state as one stable word, for metrics and log fields.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Stopped => "stopped",
            Self::Unavailable => "unavailable",
            Self::Valid => "valid",
        }
    }
}

impl fmt::Display for ManagerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ManagerStatus {
    pub(super) fn of(shared: &Shared) -> Self {
        let (state, token) = shared.watch.read(|snapshot| match snapshot {
            Snapshot::Pending => (ManagerState::Pending, None),
            Snapshot::Stopped => (ManagerState::Stopped, None),
            Snapshot::Unavailable { .. } => (ManagerState::Unavailable, None),
            Snapshot::Valid { value, .. } => (ManagerState::Valid, Some(value.clone())),
        });
        let expires_in = token
            .as_ref()
            .and_then(|token| token.time_left(shared.now()));
        let last = shared.counts.last().clone();
        Self {
            state,
            generation: token.map_or(last.generation, |token| token.generation()),
            expires_in,
            last_error: last.error,
            refreshes: shared.counts.refreshes.load(Ordering::Relaxed),
            failures: shared.counts.failures.load(Ordering::Relaxed),
            connections: shared.connections.load(Ordering::Relaxed),
        }
    }
}
