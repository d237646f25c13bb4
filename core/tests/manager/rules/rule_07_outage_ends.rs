//! Rule 7: an outage ends by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{ErrorKind, Event, ManagerState, OnExhausted};

use crate::support::{Source, backoff, down, exact, numbered, rig_with};

/// A source that fails with `kind` for as long as the flag says.
fn flaky(time: &ManualClock, kind: ErrorKind) -> (Source, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&fails);
    let source = Source::new(time, move |n| {
        if flag.load(Ordering::SeqCst) {
            Err(kind.into())
        } else {
            numbered(n, hours(1))
        }
    });
    (source, fails)
}

#[test]
fn attempts_go_on_for_as_long_as_it_takes() {
    let time = ManualClock::new();
    let (source, fails) = flaky(&time, ErrorKind::Unavailable);
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(hours(24));
    // Five attempts in 1.5 s, then single ones; from eight minutes on, half a
    // minute to a minute apart.
    let gaps = source.gaps();
    assert_eq!(gaps[..4], [100, 200, 400, 800]);
    for gap in &gaps[4..] {
        assert!((500..=60_000).contains(gap), "{gap} ms");
    }
    let attempts = source.requests();
    assert!((1440..=3000).contains(&attempts), "{attempts}");
    assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    let _ = rig.events.take();

    fails.store(false, Ordering::SeqCst);
    rig.run.advance(seconds(60));
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
    assert!(rig.events.take().iter().any(|event| matches!(
        event,
        Event::Recovered { failures, outage, .. }
            if *failures as usize == source.requests() - 1 && *outage > hours(24)
    )));
}

#[test]
fn a_fatal_error_skips_the_retries_slows_down_and_still_ends() {
    for kind in [ErrorKind::Rejected, ErrorKind::Misconfigured] {
        let time = ManualClock::new();
        let (source, fails) = flaky(&time, kind);
        let mut rig = rig_with(&time, source.clone(), |builder| builder);
        rig.run.advance(hours(2));
        let gaps = source.gaps();
        assert!((4_000..=6_000).contains(&gaps[0]), "{gaps:?}");
        assert!(gaps.len() >= 20, "{gaps:?}");
        for gap in &gaps[4..] {
            assert!((240_000..=360_000).contains(gap), "{gap} ms");
        }
        fails.store(false, Ordering::SeqCst);
        rig.run.advance(minutes(6));
        assert_eq!(rig.manager.status().state, ManagerState::Valid);
    }
}

/// Half an hour into an outage, more than the minimum interval after an attempt
/// and more than twenty seconds before the next.
fn half_an_hour_down(kind: ErrorKind) -> (crate::support::Rig, Source, Arc<AtomicBool>) {
    let time = ManualClock::new();
    let (source, fails) = flaky(&time, kind);
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(30));
    let before = source.requests();
    while source.requests() == before {
        assert!(rig.run.advance_to_next().is_some());
    }
    rig.run.advance(seconds(2));
    (rig, source, fails)
}

#[test]
fn a_refresh_makes_an_attempt_at_once() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Rejected] {
        let (mut rig, source, fails) = half_an_hour_down(kind);
        fails.store(false, Ordering::SeqCst);
        let before = source.requests();
        rig.manager.refresh();
        rig.run.settle();
        assert_eq!(source.requests(), before + 1);
        assert_eq!(rig.manager.status().state, ManagerState::Valid);
    }
}

#[test]
fn a_refresh_in_an_outage_is_a_single_attempt() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Rejected] {
        let (mut rig, source, _) = half_an_hour_down(kind);
        let before = source.requests();
        rig.manager.refresh();
        rig.run.advance(seconds(20));
        assert_eq!(source.requests(), before + 1);
    }
}

#[test]
fn a_refresh_keeps_the_minimum_interval_from_the_last_request() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(millis(300));
    rig.manager.refresh();
    rig.run.advance(millis(699));
    assert_eq!(source.requests(), 1);
    rig.run.advance(millis(1));
    assert_eq!(source.requests(), 2);
}

#[test]
fn a_refresh_in_a_cycle_hurries_the_next_attempt_and_does_not_hide_the_outage() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(backoff(3, seconds(20), seconds(20)))
    });
    for _ in 0..30 {
        rig.manager.refresh();
        rig.run.advance(millis(100));
    }
    // Once a second; and after three attempts readers get the error.
    assert_eq!(source.gaps()[..2], [1000, 1000]);
    assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    assert!(
        rig.events
            .take()
            .iter()
            .any(|event| matches!(event, Event::CycleExhausted { attempts: 3, .. }))
    );
}

#[test]
fn on_exhausted_stop_asks_no_more_until_refresh() {
    let time = ManualClock::new();
    let (source, fails) = flaky(&time, ErrorKind::Unavailable);
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.refresh_policy(exact(|policy| {
            policy.on_exhausted(OnExhausted::WaitForRefresh)
        }))
    });
    rig.run.advance(hours(24));
    assert_eq!(source.requests(), 5);
    assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    assert_eq!(rig.time.timers(), 0);
    assert!(
        rig.events
            .take()
            .iter()
            .any(|event| matches!(event, Event::CycleExhausted { next_in: None, .. }))
    );

    rig.manager.refresh();
    rig.run.advance(hours(24));
    assert_eq!(source.requests(), 10);

    fails.store(false, Ordering::SeqCst);
    rig.manager.refresh();
    rig.run.settle();
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
    rig.run.advance(minutes(46));
    assert_eq!(source.requests(), 12, "renewal goes on");
}

#[test]
fn on_exhausted_stop_leaves_a_token_in_use_until_it_expires() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => numbered(n, hours(1)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.refresh_policy(exact(|policy| {
            policy.on_exhausted(OnExhausted::WaitForRefresh)
        }))
    });
    rig.run.advance(hours(1) - millis(1));
    assert_eq!(source.requests(), 6);
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
    rig.run.advance(millis(1));
    assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    assert_eq!(rig.time.timers(), 0);
}
