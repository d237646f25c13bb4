use tracing::field::Empty;
use tracing::{Instrument, debug_span, info_span};

use super::TARGET;
use crate::ConnectionId;

#[derive(Debug)]
pub(super) struct Span(tracing::Span);

impl Span {
    pub(super) fn token_request(attempt: u32) -> Self {
        Self(info_span!(
            target: TARGET, "token_request", attempt, outcome = Empty, kind = Empty
        ))
    }

    pub(super) fn reauthenticate(connection: ConnectionId, generation: u64) -> Self {
        Self(debug_span!(
            target: TARGET, "reauthenticate", %connection, generation, outcome = Empty, kind = Empty
        ))
    }

    pub(super) fn replace(connection: ConnectionId, generation: u64) -> Self {
        Self(info_span!(
            target: TARGET, "replace_connection", %connection, generation, outcome = Empty, kind = Empty
        ))
    }

    pub(super) fn around<F: Future>(&self, work: F) -> tracing::instrument::Instrumented<F> {
        work.instrument(self.0.clone())
    }

    pub(super) fn record(&self, outcome: &'static str, kind: Option<&'static str>) {
        self.0.record("outcome", outcome);
        if let Some(kind) = kind {
            self.0.record("kind", kind);
        }
    }
}
