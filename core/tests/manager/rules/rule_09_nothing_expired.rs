//! Rule 9: expired tokens are not handed out, and `get` waits for the next.

use std::time::Duration;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{Clock, ErrorKind, ManagerState, ProviderError, Token, TokenError};

use crate::support::{Rig, Source, down, exact, numbered, rig, rig_with};

/// What `get` returns, and after how long.
fn get(rig: &mut Rig, limit: Duration) -> (Result<Token, TokenError>, Duration) {
    let credentials = rig.manager.credentials();
    let start = rig.time.now();
    let outcome = rig
        .run
        .block_on(async move { credentials.get(limit).await });
    (outcome, rig.time.now() - start)
}

/// A token of ten minutes, then this for ever.
fn token_then(error: ErrorKind) -> Rig {
    let time = ManualClock::new();
    let source = Source::new(&time, move |n| match n {
        1 => numbered(1, minutes(10)),
        _ => Err(error.into()),
    });
    rig_with(&time, source, |builder| builder)
}

#[test]
fn at_its_expiry_and_not_before_a_token_is_gone_with_the_last_error() {
    let mut rig = token_then(ErrorKind::Throttled);
    rig.run.advance(minutes(10) - millis(1));
    assert_eq!(rig.password().as_deref(), Some("token-1"));
    rig.run.advance(millis(1));
    let current = rig.manager.credentials().current();
    assert!(matches!(
        current,
        Err(TokenError::Unavailable(error)) if error.kind() == ErrorKind::Throttled
    ));
    assert_eq!(rig.manager.status().expires_in, None);
    assert_eq!(rig.manager.credentials().generation(), 0);
    assert_eq!(rig.manager.status().generation, 1);
}

#[test]
fn an_expiry_before_any_failure_is_pending() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, millis(300)));
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(millis(300));
    assert_eq!(rig.manager.status().state, ManagerState::Pending);
    rig.run.advance(millis(700));
    assert_eq!(rig.password().as_deref(), Some("token-2"));
}

#[test]
fn an_expiry_while_a_request_hangs_is_blamed_on_it() {
    let script = ScriptedProvider::new().token("a", seconds(20)).hang();
    let mut rig = rig(script);
    rig.run.advance(seconds(20) - millis(1));
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
    // Asked for at 15 s; hung until 25 s.
    rig.run.advance(millis(1));
    assert_eq!(rig.manager.status().state, ManagerState::Pending);
    rig.run.advance(seconds(5));
    let kind = rig.manager.status().last_error.unwrap().kind();
    assert_eq!(kind, ErrorKind::Timeout);
}

#[test]
fn get_returns_a_valid_token_at_once_even_without_patience() {
    let mut rig = rig(ScriptedProvider::new().token("a", hours(1)));
    for limit in [Duration::ZERO, Duration::MAX] {
        let (outcome, after) = get(&mut rig, limit);
        assert_eq!(outcome.unwrap().password(), "a");
        assert_eq!(after, Duration::ZERO);
    }
}

#[test]
fn get_waits_for_the_first_token_and_says_pending_when_none_came() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().hang().hang().token("a", hours(1));
    let mut rig = rig_with(&time, script, |builder| builder);
    let (outcome, after) = get(&mut rig, seconds(3));
    assert!(matches!(outcome, Err(TokenError::Pending { .. })));
    assert_eq!(after, seconds(3));
    let (outcome, after) = get(&mut rig, minutes(1));
    assert_eq!(outcome.unwrap().password(), "a");
    assert_eq!(after, seconds(17) + millis(300));
}

#[test]
fn get_waits_out_an_outage_up_to_its_limit() {
    let mut rig = token_then(ErrorKind::Unavailable);
    rig.run.advance(minutes(11));
    let (outcome, after) = get(&mut rig, seconds(90));
    assert!(matches!(
        outcome,
        Err(TokenError::Unavailable(error)) if error.kind() == ErrorKind::Unavailable
    ));
    assert_eq!(after, seconds(90));
    let (outcome, after) = get(&mut rig, Duration::ZERO);
    assert!(matches!(outcome, Err(TokenError::Unavailable(_))));
    assert_eq!(after, Duration::ZERO);
}

#[test]
fn get_returns_the_token_that_ends_an_outage() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1..=5 => Err(down()),
        n => numbered(n, hours(1)),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(millis(1500)); // the fifth attempt has failed
    let (outcome, after) = get(&mut rig, minutes(5));
    assert_eq!(outcome.unwrap().password(), "token-6");
    assert!(after >= millis(500) && after <= seconds(1), "{after:?}");
}

#[test]
fn get_returns_a_fatal_error_at_once_whether_it_waited_or_not() {
    for kind in [ErrorKind::Rejected, ErrorKind::Misconfigured] {
        let time = ManualClock::new();
        let source = Source::new(&time, move |n| match n {
            1 => Err(down()),
            _ => Err(ProviderError::new(kind)),
        });
        let mut rig = rig_with(&time, source, |builder| builder);
        let (outcome, after) = get(&mut rig, hours(1));
        assert!(matches!(outcome, Err(TokenError::Unavailable(error)) if error.kind() == kind));
        assert_eq!(after, millis(100));
        let (outcome, after) = get(&mut rig, hours(1));
        assert!(matches!(outcome, Err(TokenError::Unavailable(error)) if error.kind() == kind));
        assert_eq!(after, Duration::ZERO);
    }
}

#[test]
fn get_ends_when_the_manager_stops() {
    let mut rig = rig(ScriptedProvider::new().hang());
    let manager = rig.manager.clone();
    let time = rig.time.clone();
    rig.run.spawn(async move {
        time.sleep_until(time.now() + seconds(2)).await;
        manager.stop();
    });
    for after in [seconds(2), Duration::ZERO] {
        let (outcome, took) = get(&mut rig, hours(1));
        assert!(matches!(outcome, Err(TokenError::Stopped)));
        assert_eq!(took, after);
    }
}

#[test]
fn a_get_that_is_dropped_leaves_no_timer() {
    let mut rig = rig(ScriptedProvider::new().hang());
    let before = rig.time.timers();
    let credentials = rig.manager.credentials();
    let (drop_it, dropped) = futures::channel::oneshot::channel::<()>();
    rig.run.spawn(async move {
        let get = std::pin::pin!(credentials.get(hours(1)));
        futures::future::select(get, dropped).await;
    });
    assert_eq!(rig.time.timers(), before + 1);
    drop_it.send(()).unwrap();
    rig.run.settle();
    assert_eq!(rig.time.timers(), before);
}

#[test]
fn a_lifetime_below_the_minimum_interval_is_still_not_overstayed() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, seconds(2)));
    let policy = exact(|policy| policy.min_refresh_interval(seconds(5)));
    let mut rig = rig_with(&time, source, |builder| builder.refresh_policy(policy));
    for _ in 0..20 {
        assert!(rig.password().is_some());
        rig.run.advance(seconds(2));
        assert_eq!(rig.password(), None);
        rig.run.advance(seconds(3));
    }
}
