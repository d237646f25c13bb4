//! Output to `tracing`; nothing without the feature of that name.

#[cfg(feature = "tracing")]
mod event;
#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod span;

#[cfg(feature = "tracing")]
pub(crate) use {event::emit, span::Work};

#[cfg(not(feature = "tracing"))]
pub(crate) use off::{Work, emit};

/// The target of all events and spans.
#[cfg(feature = "tracing")]
const TARGET: &str = "redis_authx";
