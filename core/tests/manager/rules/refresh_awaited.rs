//! `refresh` can be awaited: it completes with the attempt that it led to.

use futures::FutureExt;
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{Clock, ErrorKind, TokenError, TokenManager};

use crate::support::{Gate, Source, down, numbered, rig, rig_with};

#[test]
fn it_returns_the_new_token() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(1));
    let token = rig.run.block_on(rig.manager.refresh()).unwrap();
    assert_eq!((token.password(), token.generation()), ("token-2", 2));
    assert_eq!(source.times()[1], minutes(1), "at once");

    // Within the minimum interval it waits for that.
    let token = rig.run.block_on(rig.manager.credentials().refresh());
    assert_eq!(token.unwrap().password(), "token-3");
    assert_eq!(source.times()[2], minutes(1) + seconds(1));
}

#[test]
fn it_returns_the_attempts_error_though_a_valid_token_is_in_use() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        2 => Err(down()),
        n => numbered(n, hours(1)),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(1));
    let outcome = rig.run.block_on(rig.manager.refresh());
    assert!(
        matches!(&outcome, Err(TokenError::Unavailable(error)) if error.kind() == ErrorKind::Unavailable),
        "{outcome:?}"
    );
    assert_eq!(source.requests(), 2);
    assert_eq!(rig.password().as_deref(), Some("token-1"));
}

#[test]
fn a_request_that_hangs_is_an_error_after_its_time_limit() {
    let mut rig = rig(ScriptedProvider::new().token("a", hours(1)).hang());
    rig.run.advance(minutes(1));
    let start = rig.time.now();
    let outcome = rig.run.block_on(rig.manager.refresh());
    let error = outcome.unwrap_err();
    assert_eq!(
        error.provider_error().unwrap().kind(),
        ErrorKind::Timeout,
        "{error:?}"
    );
    assert_eq!(rig.time.now() - start, seconds(10));
}

#[test]
fn a_token_that_has_expired_on_arrival_is_an_error() {
    let script = ScriptedProvider::new()
        .token("a", hours(1))
        .token("b", seconds(0));
    let mut rig = rig(script);
    rig.run.advance(minutes(1));
    let error = rig.run.block_on(rig.manager.refresh()).unwrap_err();
    assert_eq!(error.provider_error().unwrap().kind(), ErrorKind::Expired);
}

#[test]
fn a_request_under_way_that_succeeds_is_enough() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let mut refresh = rig.manager.refresh();
    rig.run.settle();
    assert!((&mut refresh).now_or_never().is_none());
    gate.answer(numbered(1, hours(1)));
    rig.run.settle();
    let token = refresh.now_or_never().unwrap().unwrap();
    assert_eq!(token.password(), "token-1");
    rig.run.advance(minutes(1));
    assert_eq!(gate.requests(), 1, "no other is made");
}

#[test]
fn a_request_under_way_that_fails_is_followed_by_another() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    rig.run.advance(seconds(3));
    let mut refresh = rig.manager.refresh();
    rig.run.settle();
    gate.answer(Err(ErrorKind::Rejected.into()));
    rig.run.settle();
    assert!((&mut refresh).now_or_never().is_none());
    assert_eq!(gate.requests(), 2, "at once");
    gate.answer(numbered(2, hours(1)));
    rig.run.settle();
    let token = refresh.now_or_never().unwrap().unwrap();
    assert_eq!(token.password(), "token-2");
}

#[test]
fn a_stop_ends_it() {
    let gate = Gate::default();
    let mut rig = rig(gate);
    let refresh = rig.manager.refresh();
    rig.run.settle();
    rig.manager.stop();
    let outcome = rig.run.block_on(refresh);
    assert!(matches!(outcome, Err(TokenError::Stopped)));
    let outcome = rig.manager.refresh().now_or_never();
    assert!(matches!(outcome, Some(Err(TokenError::Stopped))));
}

#[test]
fn the_end_of_the_driver_ends_it() {
    let time = ManualClock::new();
    let (manager, driver) = TokenManager::builder(Gate::default()).build(&time);
    let run = time.run(driver);
    let mut refresh = manager.refresh();
    assert!((&mut refresh).now_or_never().is_none());
    drop(run);
    assert!(matches!(
        refresh.now_or_never(),
        Some(Err(TokenError::Stopped))
    ));
}

#[test]
fn many_may_await_one_attempt_and_one_that_is_dropped_changes_nothing() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(millis(200));
    let refreshes: Vec<_> = (0..10).map(|_| rig.manager.refresh()).collect();
    drop(rig.manager.refresh());
    rig.run.advance(seconds(1));
    assert_eq!(source.requests(), 2);
    for refresh in refreshes {
        let token = refresh.now_or_never().unwrap().unwrap();
        assert_eq!(token.password(), "token-2");
    }
}
