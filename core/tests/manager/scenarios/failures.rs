use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{ErrorKind, Event, ProviderError, TokenError};

use futures::FutureExt;

use crate::support::{Source, backoff, down, numbered, rig, rig_with};

#[test]
fn a_limit_below_the_second_delay_holds_it_back() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1..=4 => Err(down()),
        n => numbered(n, hours(1)),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(backoff(5, millis(100), millis(150)))
    });
    rig.run.advance(seconds(1));
    assert_eq!(source.gaps(), [100, 150, 150, 150]);
}

#[test]
fn each_failed_attempt_is_told_with_its_number_and_the_wait() {
    let script = ScriptedProvider::new()
        .error(down())
        .error(down())
        .token("a", hours(1));
    let mut rig = rig(script);
    rig.run.advance(seconds(1));
    let told: Vec<_> = rig
        .events
        .take()
        .into_iter()
        .map(|event| match event {
            Event::AttemptFailed {
                attempt, retry_in, ..
            } => (attempt, retry_in),
            Event::Recovered { failures, .. } => (failures, None),
            Event::TokenRefreshed { .. } => (0, None),
            other => panic!("{other:?}"),
        })
        .collect();
    let waits = [Some(millis(100)), Some(millis(200))];
    assert_eq!(told, [(1, waits[0]), (2, waits[1]), (2, None), (0, None)]);
}

#[test]
fn a_reply_that_can_not_be_read_is_retried() {
    let script = ScriptedProvider::new()
        .error(ProviderError::invalid_response("no token in it"))
        .token("a", hours(1));
    let mut rig = rig(script);
    rig.run.advance(seconds(1));
    assert_eq!(rig.password().as_deref(), Some("a"));
}

#[test]
fn when_the_first_fetch_fails_every_reader_is_told_and_none_waits_for_ever() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => Err(ProviderError::new(ErrorKind::Rejected)),
        n => numbered(n, hours(1)),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    for _ in 0..20 {
        let credentials = rig.manager.credentials();
        let outcome = rig
            .run
            .block_on(async move { credentials.get(minutes(1)).await });
        let Err(TokenError::Unavailable(error)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(error.kind(), ErrorKind::Rejected);
    }
    assert_eq!(source.requests(), 1);
    rig.run.advance(minutes(6));
    assert_eq!(rig.password().as_deref(), Some("token-2"));
}

#[test]
fn a_failure_reaches_every_subscriber_and_ends_no_subscription() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        2..=20 => Err(down()),
        n => numbered(n, minutes(2)),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    let mut readers: Vec<_> = (0..5).map(|_| rig.manager.credentials()).collect();
    for reader in &mut readers {
        reader.changed().now_or_never().unwrap().unwrap();
    }
    rig.run.advance(minutes(2));
    for reader in &mut readers {
        let news = reader.changed().now_or_never().unwrap();
        assert!(matches!(news, Err(TokenError::Unavailable(_))), "{news:?}");
    }
    rig.run.advance(minutes(3));
    for reader in &mut readers {
        let news = reader.changed().now_or_never().unwrap();
        assert!(news.unwrap().generation() >= 2);
    }
}
