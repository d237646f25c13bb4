//! Output to `tracing`; nothing without the feature of that name.

#[cfg(feature = "tracing")]
mod event;
#[cfg(not(feature = "tracing"))]
mod off;
#[cfg(feature = "tracing")]
mod span;

use crate::ConnectionId;

#[cfg(feature = "tracing")]
pub(crate) use event::emit;
#[cfg(not(feature = "tracing"))]
use off::Span;
#[cfg(not(feature = "tracing"))]
pub(crate) use off::emit;
#[cfg(feature = "tracing")]
use span::Span;

/// The target of all events and spans.
#[cfg(feature = "tracing")]
const TARGET: &str = "redis_authx";

/// A span that records its outcome: `cancelled` if it is dropped without one. For
/// client adapters. Without the feature `tracing` it does nothing.
#[derive(Debug)]
pub struct SpanGuard {
    span: Span,
    open: bool,
}

impl SpanGuard {
    pub(crate) fn token_request(attempt: u32) -> Self {
        Self::new(Span::token_request(attempt))
    }

    /// The span `reauthenticate`: one `AUTH` with the token of this generation on a
    /// live connection.
    #[must_use]
    pub fn reauthenticate(connection: ConnectionId, generation: u64) -> Self {
        Self::new(Span::reauthenticate(connection, generation))
    }

    /// The span `replace_connection`: a connection that logs in with the token of this
    /// generation is opened in the place of another.
    #[must_use]
    pub fn replace(connection: ConnectionId, generation: u64) -> Self {
        Self::new(Span::replace(connection, generation))
    }

    const fn new(span: Span) -> Self {
        Self { span, open: true }
    }

    /// Polls and drops `work` inside the span.
    pub fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        self.span.around(work)
    }

    /// Records a success, or a failure of this kind. Only the first call counts.
    pub fn ended(&mut self, failure: Option<&'static str>) {
        let outcome = if failure.is_some() {
            "failed"
        } else {
            "succeeded"
        };
        self.record(outcome, failure);
    }

    fn record(&mut self, outcome: &'static str, kind: Option<&'static str>) {
        if std::mem::take(&mut self.open) {
            self.span.record(outcome, kind);
        }
    }
}

impl Drop for SpanGuard {
    fn drop(&mut self) {
        self.record("cancelled", None);
    }
}
