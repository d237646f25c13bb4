//! Events as `tracing` events, with the field names of [`Event`].

use super::TARGET;
use crate::Event;

pub(crate) fn emit(event: &Event) {
    use tracing::{debug, info, warn};
    match event {
        Event::AttemptFailed {
            attempt,
            error,
            retry_in,
        } => {
            warn!(target: TARGET, attempt, kind = error.kind().as_str(), error = %format_args!("{error:#}"), ?retry_in, "token request failed")
        }
        Event::ClockStepped { by, backward } => {
            warn!(target: TARGET, ?by, backward, "wall clock stepped");
        }
        Event::ConnectionLost { connection, error } => {
            warn!(target: TARGET, %connection, error = %format_args!("{error:#}"), "connection given up");
        }
        Event::CycleExhausted {
            attempts,
            error,
            next_in,
        } => {
            warn!(target: TARGET, attempts, kind = error.kind().as_str(), error = %format_args!("{error:#}"), ?next_in, "token request cycle failed")
        }
        Event::Deferred {
            connection,
            generation,
        } => debug!(target: TARGET, %connection, generation, "re-authentication deferred"),
        Event::ReauthEnded { connections } => {
            warn!(target: TARGET, connections, "re-authentication ended with its runtime");
        }
        Event::Reauthenticated {
            connection,
            generation,
            latency,
        } => {
            debug!(target: TARGET, %connection, generation, ?latency, "connection re-authenticated")
        }
        Event::ReauthFailed {
            connection,
            generation,
            error,
            retry_in,
        } => {
            warn!(target: TARGET, %connection, generation, error = %format_args!("{error:#}"), ?retry_in, "connection not re-authenticated")
        }
        Event::Recovered { failures, outage } => {
            info!(target: TARGET, failures, ?outage, "identity service recovered");
        }
        Event::Replaced {
            connection,
            generation,
        } => info!(target: TARGET, %connection, generation, "connection replaced"),
        Event::Staggered {
            connections,
            window,
        } => debug!(target: TARGET, connections, ?window, "re-authentication scheduled"),
        Event::Stopped => info!(target: TARGET, "token manager stopped"),
        Event::TokenExpired { generation } => {
            warn!(target: TARGET, generation, "token expired before another came");
        }
        Event::TokenRefreshed {
            generation,
            lifetime,
            latency,
        } => info!(target: TARGET, generation, ?lifetime, ?latency, "token refreshed"),
        Event::TokenUnchanged {
            generation,
            next_in,
        } => debug!(target: TARGET, generation, ?next_in, "token unchanged"),
    }
}
