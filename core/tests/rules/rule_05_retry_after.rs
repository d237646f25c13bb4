//! Rule 5, `Retry-After`: it lengthens a wait and never shortens one.

use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{ErrorKind, ProviderError};

use crate::support::{Source, backoff, numbered, rig_with};

fn throttled(wait: Duration) -> ProviderError {
    ProviderError::throttled("slow down").with_retry_after(wait)
}

/// The wait between a first request that fails like this and the second.
fn wait_after(error: ProviderError, attempts: u32, refreshed: bool) -> Duration {
    let time = ManualClock::new();
    let source = Source::new(&time, move |n| match n {
        1 => Err(error.clone()),
        n => numbered(n, hours(1)),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(backoff(attempts, millis(100), millis(1000)))
    });
    while source.requests() < 2 {
        if refreshed {
            rig.manager.refresh();
        }
        assert!(rig.run.advance_to_next().is_some(), "never again");
    }
    source.times()[1]
}

#[test]
fn it_lengthens_a_retry() {
    assert_eq!(wait_after(throttled(seconds(17)), 5, false), seconds(17));
}

#[test]
fn it_does_not_shorten_a_retry() {
    for wait in [Duration::ZERO, millis(99)] {
        assert_eq!(wait_after(throttled(wait), 5, false), millis(100));
    }
}

#[test]
fn it_lengthens_a_cool_down_and_does_not_shorten_it() {
    assert_eq!(wait_after(throttled(minutes(2)), 1, false), minutes(2));
    let short = wait_after(throttled(seconds(3)), 1, false);
    assert!((seconds(24)..=seconds(36)).contains(&short), "{short:?}");
    let fatal = ProviderError::new(ErrorKind::Rejected).with_retry_after(minutes(20));
    assert_eq!(wait_after(fatal, 5, false), minutes(20));
}

#[test]
fn a_refresh_does_not_cut_it_short() {
    assert_eq!(wait_after(throttled(seconds(17)), 5, true), seconds(17));
    assert_eq!(wait_after(throttled(minutes(2)), 1, true), minutes(2));
}

#[test]
fn it_is_obeyed_for_an_hour_at_most() {
    for wait in [hours(2), Duration::MAX] {
        assert_eq!(wait_after(throttled(wait), 5, false), hours(1));
        assert_eq!(wait_after(throttled(wait), 1, true), hours(1));
    }
}

#[test]
fn a_later_failure_without_it_lifts_it() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => Err(throttled(seconds(30))),
        2 => Err(crate::support::down()),
        n => numbered(n, hours(1)),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(1));
    assert_eq!(source.gaps(), [30_000, 200]);
}
