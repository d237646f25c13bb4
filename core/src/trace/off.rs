//! Empty versions of the same functions, for builds without the feature.

use crate::Event;
use crate::reauth::ConnectionId;

pub(crate) const fn emit(_: &Event) {}

pub(crate) struct Work;

impl Work {
    pub(crate) const fn token_request(_attempt: u32) -> Self {
        Self
    }

    pub(crate) const fn reauthenticate(_connection: ConnectionId, _generation: u64) -> Self {
        Self
    }

    pub(crate) const fn replace(_connection: ConnectionId, _generation: u64) -> Self {
        Self
    }

    pub(crate) fn around<F: Future>(&self, work: F) -> F {
        work
    }

    pub(crate) fn ended(&mut self, _failure: Option<&'static str>) {}
}
