use std::time::Duration;

use futures::FutureExt;
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{Clock, ErrorKind, Event, ManagerState, OnExhausted};

use crate::support::{Source, backoff, down, exact, numbered, rig_with};

#[test]
fn renewals_come_at_their_share_of_the_life_be_it_high_low_or_odd() {
    for (ratio, share) in [
        (0.01, seconds(36)),
        (0.25, minutes(15)),
        (0.123_456, millis(444_441)),
        (0.9, minutes(54)),
        (0.999, millis(3_596_400)),
        (1.0, hours(1)),
    ] {
        let time = ManualClock::new();
        let source = Source::new(&time, |n| numbered(n, hours(1)));
        let policy = exact(|policy| {
            policy
                .expiration_refresh_ratio(ratio)
                .min_time_left(Duration::ZERO)
        });
        let mut rig = rig_with(&time, source.clone(), |builder| {
            builder.refresh_policy(policy)
        });
        rig.run.advance(share * 5);
        let expected: Vec<Duration> = (0..6).map(|n| share * n).collect();
        assert_eq!(source.times(), expected, "{ratio}");
    }
}

#[test]
fn tokens_of_a_few_seconds_follow_one_another_without_a_gap() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, seconds(4)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    for n in 1..=100 {
        assert_eq!(rig.password(), Some(format!("token-{n}")));
        rig.run.advance(seconds(3) - millis(1));
        assert_eq!(rig.password(), Some(format!("token-{n}")));
        rig.run.advance(millis(1));
    }
    assert_eq!(source.requests(), 101);
}

#[test]
fn news_is_news_whether_time_or_a_hand_brought_it_and_each_reader_takes_its_own() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source, |builder| builder);
    let (mut first, mut second) = (rig.manager.credentials(), rig.manager.credentials());
    for generation in 1..=4 {
        for reader in [&mut first, &mut second] {
            let token = reader.changed().now_or_never().unwrap().unwrap();
            assert_eq!(token.generation(), generation);
            assert!(reader.changed().now_or_never().is_none());
        }
        if generation % 2 == 0 {
            rig.manager.refresh();
            rig.run.advance(seconds(1));
        } else {
            rig.run.advance(minutes(45));
        }
    }
}

#[test]
fn without_retries_the_first_failure_may_be_the_last_request() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder
            .refresh_policy(exact(|policy| {
                policy.on_exhausted(OnExhausted::WaitForRefresh)
            }))
            .retry_policy(backoff(1, millis(100), seconds(1)))
    });
    rig.run.advance(hours(24));
    assert_eq!(source.requests(), 1);
    assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    assert_eq!(rig.time.timers(), 0);
    assert!(matches!(
        rig.events.take().as_slice(),
        [
            Event::AttemptFailed {
                attempt: 1,
                retry_in: None,
                ..
            },
            Event::CycleExhausted {
                attempts: 1,
                next_in: None,
                ..
            },
        ]
    ));
}

#[test]
fn a_time_limit_of_ones_own_is_kept() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().hang().token("a", hours(1));
    let policy = exact(|policy| policy.request_timeout(millis(1500)));
    let mut rig = rig_with(&time, script.clone(), |builder| {
        builder.refresh_policy(policy)
    });
    let start = rig.time.now();
    rig.run.advance(millis(1499));
    assert_eq!(script.open_requests(), 1);
    rig.run.advance(millis(1));
    assert_eq!(script.open_requests(), 0);
    let error = rig.manager.status().last_error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    rig.run.advance(millis(100));
    assert_eq!(rig.password().as_deref(), Some("a"));
    assert_eq!(rig.time.now() - start, millis(1600));
}
