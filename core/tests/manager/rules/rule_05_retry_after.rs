//! Rule 5, `Retry-After`: it is never undercut, is spread by up to a fifth, and
//! never shortens a wait.

use std::ops::RangeInclusive;
use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{ErrorKind, ProviderError};

use crate::support::{Source, backoff, numbered, rig_with};

fn throttled(wait: Duration) -> ProviderError {
    ProviderError::throttled("slow down").with_retry_after(wait)
}

/// What a server's wish may be spread to.
fn spread(wish: Duration) -> RangeInclusive<Duration> {
    wish..=wish + wish / 5
}

fn assert_within(wait: Duration, range: RangeInclusive<Duration>) {
    assert!(range.contains(&wait), "{wait:?} is not in {range:?}");
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
    let wish = seconds(17);
    assert_within(wait_after(throttled(wish), 5, false), spread(wish));
}

#[test]
fn it_does_not_shorten_a_retry() {
    for wish in [Duration::ZERO, millis(80)] {
        assert_eq!(wait_after(throttled(wish), 5, false), millis(100));
    }
    let wish = millis(99);
    let wait = wait_after(throttled(wish), 5, false);
    assert_within(wait, millis(100)..=*spread(wish).end());
}

#[test]
fn it_lengthens_a_cool_down_and_does_not_shorten_it() {
    let wish = minutes(2);
    assert_within(wait_after(throttled(wish), 1, false), spread(wish));
    let short = wait_after(throttled(millis(100)), 1, false);
    assert_within(short, millis(500)..=seconds(1));
    let wish = minutes(20);
    let fatal = |wish| ProviderError::new(ErrorKind::Rejected).with_retry_after(wish);
    assert_within(wait_after(fatal(wish), 5, false), spread(wish));
    let short = wait_after(fatal(seconds(1)), 5, false);
    assert_within(short, seconds(4)..=seconds(6));
}

#[test]
fn a_refresh_does_not_cut_it_short() {
    for (wish, attempts) in [(seconds(17), 5), (minutes(2), 1)] {
        assert_within(wait_after(throttled(wish), attempts, true), spread(wish));
    }
}

/// When managers with these seeds ask again, if all are sent away at once.
fn second_requests(seeds: std::ops::Range<u64>, wish: Duration) -> Vec<Duration> {
    let second = |seed| {
        let time = ManualClock::new();
        let source = Source::new(&time, move |_| Err(throttled(wish)));
        let mut rig = rig_with(&time, source.clone(), |builder| builder.seed(seed));
        let _need = rig.manager.credentials().need();
        while source.requests() < 2 {
            drop(rig.manager.credentials().need());
            assert!(rig.run.advance_to_next().is_some());
        }
        source.times()[1]
    };
    seeds.map(second).collect()
}

#[test]
fn managers_that_are_throttled_at_once_come_apart() {
    let wish = seconds(100);
    let mut times = second_requests(0..50, wish);
    times.sort_unstable();
    for time in &times {
        assert_within(*time, spread(wish));
    }
    times.dedup();
    assert_eq!(times.len(), 50);
    assert!(times[0] < seconds(103) && times[49] > seconds(117));
}

#[test]
fn it_is_obeyed_for_an_hour_at_most() {
    for wish in [hours(2), Duration::MAX] {
        for (attempts, refreshed) in [(5, false), (1, true)] {
            let wait = wait_after(throttled(wish), attempts, refreshed);
            assert_within(wait, spread(hours(1)));
        }
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
    assert_within(source.times()[1], spread(seconds(30)));
    assert_eq!(source.gaps()[1..], [200]);
}
