//! What `get` does while there is no token: it waits where waiting can help,
//! and says why where it can't.

use std::error::Error;
use std::time::Duration;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{
    Clock, ErrorKind, ExponentialBackoff, OnExhausted, ProviderError, RetryContext, RetryDecision,
    RetryPolicy, Token, TokenError,
};

use crate::support::{Gate, Rig, Source, backoff, down, exact, numbered, rig, rig_with};

/// What `get` returns, and after how long.
fn get(rig: &mut Rig, limit: Duration) -> (Result<Token, TokenError>, Duration) {
    let credentials = rig.manager.credentials();
    let start = rig.time.now();
    let outcome = rig
        .run
        .block_on(async move { credentials.get(limit).await });
    (outcome, rig.time.now() - start)
}

fn kind(outcome: &Result<Token, TokenError>) -> Option<ErrorKind> {
    let error = outcome.as_ref().err()?.provider_error()?;
    Some(error.kind())
}

fn rejected() -> ProviderError {
    ErrorKind::Rejected.into()
}

#[test]
fn an_error_that_the_policy_retries_is_waited_for_whatever_its_kind() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1..=4 => Err(rejected()),
        n => numbered(n, hours(1)),
    });
    let retry = ExponentialBackoff::builder()
        .max_attempts(2)
        .is_retryable(|_, _| true)
        .build()
        .unwrap();
    let mut rig = rig_with(&time, source, |builder| builder.retry_policy(retry));
    rig.run.advance(seconds(1)); // the cycle is exhausted
    let (outcome, after) = get(&mut rig, minutes(2));
    assert_eq!(outcome.unwrap().password(), "token-5");
    assert!(after < seconds(5), "{after:?}");
}

/// Calls every error fatal.
#[derive(Debug)]
struct Fatal;

impl RetryPolicy for Fatal {
    fn on_failure(&self, _: &RetryContext<'_>) -> RetryDecision {
        RetryDecision::Fatal
    }
}

#[test]
fn an_error_that_the_policy_calls_fatal_is_returned_at_once_whatever_its_kind() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source, |builder| builder.retry_policy(Fatal));
    let (outcome, after) = get(&mut rig, hours(1));
    assert_eq!(kind(&outcome), Some(ErrorKind::Unavailable));
    assert_eq!(after, Duration::ZERO);
}

#[test]
fn a_refresh_after_a_fatal_error_is_waited_for() {
    // Also where the minimum interval delays it.
    for (refreshed_after, waits) in [(seconds(2), seconds(0)), (millis(300), millis(700))] {
        for settle in [false, true] {
            let time = ManualClock::new();
            let source = Source::new(&time, |n| match n {
                1 => Err(rejected()),
                n => numbered(n, hours(1)),
            });
            let mut rig = rig_with(&time, source, |builder| builder);
            rig.run.advance(refreshed_after);
            rig.manager.refresh();
            if settle {
                rig.run.settle(); // the driver has taken the wish
            }
            let (outcome, after) = get(&mut rig, seconds(10));
            assert_eq!(outcome.unwrap().password(), "token-2");
            assert_eq!(after, waits);
        }
    }
}

#[test]
fn a_refresh_asked_for_before_a_fatal_error_is_waited_for() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let credentials = rig.manager.credentials();
    let (sender, received) = std::sync::mpsc::channel();
    rig.run.spawn(async move {
        sender.send(credentials.get(seconds(10)).await).unwrap();
    });
    rig.manager.refresh();
    rig.run.settle();
    gate.answer(Err(rejected()));
    rig.run.advance(seconds(1));
    assert!(received.try_recv().is_err(), "another attempt is due");
    gate.answer(numbered(2, hours(1)));
    rig.run.settle();
    assert_eq!(received.try_recv().unwrap().unwrap().password(), "token-2");
}

#[test]
fn an_attempt_under_way_is_waited_for_though_the_last_error_was_fatal() {
    // The renewal at 45 s fails for good; the next attempt, about 50 s, hangs
    // while the token expires, and is followed by one that succeeds.
    let script = ScriptedProvider::new()
        .token("a", seconds(60))
        .error(rejected())
        .hang()
        .token("b", hours(1));
    let policy = exact(|policy| policy.request_timeout(seconds(20)));
    let mut rig = rig_with(&ManualClock::new(), script.clone(), |builder| {
        builder.refresh_policy(policy)
    });
    rig.run.advance(seconds(60));
    assert_eq!(script.open_requests(), 1);
    let (outcome, after) = get(&mut rig, minutes(1));
    assert_eq!(outcome.unwrap().password(), "b");
    assert!(after > seconds(5), "{after:?}");
}

#[test]
fn after_the_last_attempt_there_is_nothing_to_wait_for_until_a_refresh() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1..=3 => Err(down()),
        n => numbered(n, hours(1)),
    });
    let policy = exact(|policy| policy.on_exhausted(OnExhausted::WaitForRefresh));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder
            .refresh_policy(policy)
            .retry_policy(backoff(3, millis(100), seconds(1)))
    });
    let (outcome, after) = get(&mut rig, hours(1));
    assert_eq!(kind(&outcome), Some(ErrorKind::Unavailable));
    assert_eq!(after, millis(300), "with the third failure");
    let (outcome, after) = get(&mut rig, hours(1));
    assert!(matches!(outcome, Err(TokenError::Unavailable(_))));
    assert_eq!(after, Duration::ZERO);

    rig.manager.refresh();
    let (outcome, _) = get(&mut rig, hours(1));
    assert_eq!(outcome.unwrap().password(), "token-4");
}

#[test]
fn while_the_first_cycle_goes_on_the_latest_failure_is_the_reason() {
    let mut rig = rig(ScriptedProvider::new().hang().hang());
    let (outcome, after) = get(&mut rig, seconds(5));
    let error = outcome.unwrap_err();
    assert!(matches!(
        error,
        TokenError::Pending {
            last_error: None,
            ..
        }
    ));
    assert!(error.source().is_none());
    assert_eq!(after, seconds(5));

    let (outcome, _) = get(&mut rig, seconds(10));
    let blocking = rig.manager.credentials().get_blocking(Duration::ZERO);
    let current = rig.manager.credentials().current();
    for outcome in [outcome, blocking, current] {
        let error = outcome.unwrap_err();
        let TokenError::Pending {
            last_error: Some(last),
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(last.kind(), ErrorKind::Timeout);
        assert!(error.source().is_some());
        assert!(error.is_transient());
    }
}
