//! A machine by itself, for what no provider can be made to do.

use std::sync::Arc;

use redis_authx::machine::{Machine, Output, RequestId};
use redis_authx::testing::{ManualClock, millis};
use redis_authx::{Moment, RefreshPolicy};

use crate::support::{backoff, exact};

/// A machine without jitter, and its time.
pub(crate) fn machine() -> (Machine<&'static str>, Moment) {
    machine_with(exact(|policy| policy))
}

pub(crate) fn machine_with(policy: RefreshPolicy) -> (Machine<&'static str>, Moment) {
    let now = Moment::now(&ManualClock::new());
    let retry = Arc::new(backoff(3, millis(100), millis(1000)));
    (Machine::new(policy, retry, 7, now), now)
}

pub(crate) fn outputs<T: Clone>(machine: &mut Machine<T>) -> Vec<Output<T>> {
    std::iter::from_fn(|| machine.poll_output()).collect()
}

/// The one request among the outputs.
pub(crate) fn request<T: Clone>(machine: &mut Machine<T>) -> RequestId {
    let requests: Vec<RequestId> = outputs(machine)
        .into_iter()
        .filter_map(|output| match output {
            Output::Request(id) => Some(id),
            _ => None,
        })
        .collect();
    assert_eq!(requests.len(), 1, "one request was expected");
    requests[0]
}
