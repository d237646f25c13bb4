//! Events, for logs, metrics and tests.

mod connection;

use std::fmt;
use std::time::Duration;

use crate::{ConnectionId, ProviderError, ReauthError};

/// An event of a manager or of one of its connections. Holds no secret.
///
/// Every [`Observer`] receives it. With the feature `tracing` it is also emitted under
/// the target `redis_authx`, with the field names used here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A token request failed.
    #[non_exhaustive]
    AttemptFailed {
        /// The number of the attempt within its cycle, counted from 1.
        attempt: u32,
        /// The error.
        error: ProviderError,
        /// The wait before the next attempt; `None` when there will be none
        /// until [`refresh`](crate::TokenManager::refresh).
        retry_in: Option<Duration>,
    },
    /// The wall clock and the monotonic clock moved apart by more than two
    /// seconds, and by more than slewing explains (500 ppm of the time since they
    /// were last compared): a suspend, or the clock was set.
    #[non_exhaustive]
    ClockStepped {
        /// By how much the wall clock went ahead, or back when `backward`.
        by: Duration,
        /// Whether it went back.
        backward: bool,
    },
    /// A live connection was given up, though the server had not closed it. It
    /// is replaced at once.
    #[non_exhaustive]
    ConnectionLost {
        /// The connection.
        connection: ConnectionId,
        /// The error.
        error: ReauthError,
    },
    /// A live connection did not take a new token yet: it is inside a transaction
    /// or blocked by a command. Reported once per renewal.
    #[non_exhaustive]
    Deferred {
        /// The connection.
        connection: ConnectionId,
        /// The token's generation.
        generation: u64,
    },
    /// The task that re-authenticates live connections has ended, though the
    /// manager has not stopped: its runtime has shut down.
    #[non_exhaustive]
    ReauthEnded {
        /// Connections that are no longer re-authenticated.
        connections: usize,
    },
    /// A cycle of attempts ended without a token: once per outage. Further
    /// attempts follow one by one, each reported as `AttemptFailed`.
    #[non_exhaustive]
    CycleExhausted {
        /// The number of attempts made.
        attempts: u32,
        /// The error of the last one.
        error: ProviderError,
        /// The wait before the next attempt; `None` when there will be none
        /// until [`refresh`](crate::TokenManager::refresh).
        next_in: Option<Duration>,
    },
    /// A live connection took a new token.
    #[non_exhaustive]
    Reauthenticated {
        /// The connection.
        connection: ConnectionId,
        /// The token's generation.
        generation: u64,
        /// From sending `AUTH` to its reply.
        latency: Duration,
    },
    /// A live connection did not take a new token.
    #[non_exhaustive]
    ReauthFailed {
        /// The connection.
        connection: ConnectionId,
        /// The token's generation.
        generation: u64,
        /// The error.
        error: ReauthError,
        /// The wait before the next attempt.
        retry_in: Option<Duration>,
    },
    /// A request succeeded after failures.
    #[non_exhaustive]
    Recovered {
        /// The number of attempts that failed.
        failures: u32,
        /// From the first failure to this success.
        outage: Duration,
    },
    /// A connection that was lost, or could not be re-authenticated, has been
    /// replaced by one that is logged in.
    #[non_exhaustive]
    Replaced {
        /// The connection.
        connection: ConnectionId,
        /// The generation that the new one is logged in with.
        generation: u64,
    },
    /// A rotation reached this many live connections; their `AUTH`s are spread
    /// over `window`.
    #[non_exhaustive]
    Staggered {
        /// The number of connections.
        connections: usize,
        /// The longest window of any of them.
        window: Duration,
    },
    /// The manager has stopped.
    Stopped,
    /// The held token expired before another came.
    #[non_exhaustive]
    TokenExpired {
        /// The token's generation.
        generation: u64,
    },
    /// A rotation: a new token is in use.
    #[non_exhaustive]
    TokenRefreshed {
        /// The token's generation.
        generation: u64,
        /// The time until it expires; `None` when it never does.
        lifetime: Option<Duration>,
        /// How long the request took.
        latency: Duration,
    },
    /// The identity service answered with the token already held.
    #[non_exhaustive]
    TokenUnchanged {
        /// The token's generation.
        generation: u64,
        /// The wait before the next request; `None` when it never expires.
        next_in: Option<Duration>,
    },
}

/// Receives every [`Event`], after its effect is visible.
///
/// It is called by the manager's task and by the tasks of its connections, so that
/// calls may overlap. Implemented by every `Fn(&Event)`. It should return quickly; a
/// panic is caught and ignored. An observer that holds a
/// [`TokenManager`](crate::TokenManager) or its credentials keeps it alive for ever.
pub trait Observer: Send + Sync + 'static {
    /// Handles one event.
    fn event(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync + 'static> Observer for F {
    fn event(&self, event: &Event) {
        self(event);
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
