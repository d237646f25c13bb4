//! Events of connections, for the client adapters that report them.

use std::time::Duration;

use super::Event;
use crate::{ConnectionId, ReauthError};

/// For client adapters, to [report](crate::Credentials::report).
impl Event {
    /// A [`ConnectionLost`](Self::ConnectionLost).
    #[must_use]
    pub const fn connection_lost(connection: ConnectionId, error: ReauthError) -> Self {
        Self::ConnectionLost { connection, error }
    }

    /// A [`Deferred`](Self::Deferred).
    #[must_use]
    pub const fn deferred(connection: ConnectionId, generation: u64) -> Self {
        Self::Deferred {
            connection,
            generation,
        }
    }

    /// A [`ReauthEnded`](Self::ReauthEnded).
    #[must_use]
    pub const fn reauth_ended(connections: usize) -> Self {
        Self::ReauthEnded { connections }
    }

    /// A [`Reauthenticated`](Self::Reauthenticated).
    #[must_use]
    pub const fn reauthenticated(
        connection: ConnectionId,
        generation: u64,
        latency: Duration,
    ) -> Self {
        Self::Reauthenticated {
            connection,
            generation,
            latency,
        }
    }

    /// A [`ReauthFailed`](Self::ReauthFailed).
    #[must_use]
    pub const fn reauth_failed(
        connection: ConnectionId,
        generation: u64,
        error: ReauthError,
        retry_in: Option<Duration>,
    ) -> Self {
        Self::ReauthFailed {
            connection,
            generation,
            error,
            retry_in,
        }
    }

    /// A [`Replaced`](Self::Replaced).
    #[must_use]
    pub const fn replaced(connection: ConnectionId, generation: u64) -> Self {
        Self::Replaced {
            connection,
            generation,
        }
    }

    /// A [`Staggered`](Self::Staggered).
    #[must_use]
    pub const fn staggered(connections: usize, window: Duration) -> Self {
        Self::Staggered {
            connections,
            window,
        }
    }
}
