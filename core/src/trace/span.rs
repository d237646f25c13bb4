//! Work as `tracing` spans.

use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span, info_span};

use super::TARGET;
use crate::reauth::ConnectionId;

/// A span that records its outcome: `cancelled` if it is dropped without one.
pub(crate) struct Work {
    span: Span,
    open: bool,
}

impl Work {
    pub(crate) fn token_request(attempt: u32) -> Self {
        Self::new(info_span!(
            target: TARGET, "token_request", attempt, outcome = Empty, kind = Empty
        ))
    }

    pub(crate) fn reauthenticate(connection: ConnectionId, generation: u64) -> Self {
        Self::new(debug_span!(
            target: TARGET, "reauthenticate", %connection, generation, outcome = Empty, kind = Empty
        ))
    }

    pub(crate) fn replace(connection: ConnectionId, generation: u64) -> Self {
        Self::new(info_span!(
            target: TARGET, "replace_connection", %connection, generation, outcome = Empty, kind = Empty
        ))
    }

    const fn new(span: Span) -> Self {
        Self { span, open: true }
    }

    /// Polls and drops `work` inside the span.
    pub(crate) fn around<F: Future>(&self, work: F) -> tracing::instrument::Instrumented<F> {
        work.instrument(self.span.clone())
    }

    /// Records a success, or a failure of this kind. Only the first call counts.
    pub(crate) fn ended(&mut self, failure: Option<&'static str>) {
        let outcome = if failure.is_some() {
            "failed"
        } else {
            "succeeded"
        };
        self.record(outcome, failure);
    }

    fn record(&mut self, outcome: &'static str, kind: Option<&'static str>) {
        if std::mem::take(&mut self.open) {
            self.span.record("outcome", outcome);
            if let Some(kind) = kind {
                self.span.record("kind", kind);
            }
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.record("cancelled", None);
    }
}
