//! Empty versions of the same functions, for builds without the feature.

use crate::{ConnectionId, Event};

pub(crate) const fn emit(_: &Event) {}

#[derive(Debug)]
pub(super) struct Span;

impl Span {
    pub(super) const fn token_request(_attempt: u32) -> Self {
        Self
    }

    pub(super) const fn reauthenticate(_connection: ConnectionId, _generation: u64) -> Self {
        Self
    }

    pub(super) const fn replace(_connection: ConnectionId, _generation: u64) -> Self {
        Self
    }

    pub(super) fn around<F: Future>(&self, work: F) -> F {
        work
    }

    pub(super) const fn record(&self, _outcome: &'static str, _kind: Option<&'static str>) {}
}
