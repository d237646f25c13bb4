//! What panics, hangs or is dropped half-way does not end the manager.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis_authx::testing::{EventLog, ManualClock, ScriptedProvider, hours, minutes, seconds};
use redis_authx::{
    ErrorKind, Event, ExponentialBackoff, IdentityProvider, ManagerState, ProviderChain,
    ProviderError, StaticToken, Token, TokenRequest, async_trait, provider_fn,
};

use crate::support::{Answer, down, numbered, rig, rig_with};

#[test]
fn a_provider_that_panics_is_a_failed_attempt() {
    let script = ScriptedProvider::new().panic().panic().token("a", hours(1));
    let mut rig = rig(script.clone());
    rig.run.advance(seconds(1));
    assert_eq!(rig.password().as_deref(), Some("a"));
    let failures: Vec<ErrorKind> = rig
        .events
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::AttemptFailed { error, .. } => Some(error.kind()),
            _ => None,
        })
        .collect();
    assert_eq!(failures, [ErrorKind::Other, ErrorKind::Other]);
    assert_eq!(script.open_requests(), 0);
}

#[test]
fn a_closure_that_panics_before_its_future_is_made_is_one_too() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let mut rig = rig(provider_fn(move || {
        let call = counted.fetch_add(1, Ordering::SeqCst);
        assert!(call > 0, "the first call");
        async { numbered(1, hours(1)) }
    }));
    rig.run.advance(seconds(1));
    assert_eq!(rig.password().as_deref(), Some("token-1"));
}

#[test]
fn an_observer_that_panics_ends_neither_the_manager_nor_another_observer() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().token("a", hours(1));
    let after = EventLog::new();
    let mut rig = rig_with(&time, script, |builder| {
        builder
            .observer(|_: &Event| panic!("an observer"))
            .observer(after.clone())
    });
    rig.run.advance(minutes(44));
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
    for log in [&rig.events, &after] {
        assert!(matches!(
            log.take().as_slice(),
            [Event::TokenRefreshed { generation: 1, .. }]
        ));
    }
}

#[test]
fn a_retry_policy_that_panics_ends_the_cycle_and_not_the_manager() {
    let retry = ExponentialBackoff::builder()
        .is_retryable(|_, _| panic!("a policy"))
        .build();
    let script = ScriptedProvider::new().error(down()).token("a", hours(1));
    let time = ManualClock::new();
    let mut rig = rig_with(&time, script, |builder| {
        builder.retry_policy(retry.unwrap())
    });
    assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    rig.run.advance(seconds(36));
    assert_eq!(rig.password().as_deref(), Some("a"));
}

/// Panics when it is dropped unanswered.
#[derive(Debug)]
struct Clingy;

struct OnDrop;

impl Drop for OnDrop {
    fn drop(&mut self) {
        panic!("a request that will not be dropped");
    }
}

#[async_trait]
impl IdentityProvider for Clingy {
    async fn request_token(&self, _: &TokenRequest<'_>) -> Answer {
        let _on_drop = OnDrop;
        std::future::pending().await
    }
}

#[test]
fn a_request_that_panics_when_it_is_cancelled_is_a_failed_attempt() {
    let mut rig = rig(Clingy);
    rig.run.advance(seconds(30));
    let status = rig.manager.status();
    assert_eq!(status.failures, 2);
    assert_eq!(status.last_error.unwrap().kind(), ErrorKind::Timeout);
    rig.manager.stop();
    rig.run.settle();
    assert_eq!(rig.manager.status().state, ManagerState::Stopped);
}

#[test]
fn a_request_that_is_never_ready_is_dropped_with_the_driver() {
    let script = ScriptedProvider::new().hang();
    let rig = rig(script.clone());
    assert_eq!(script.open_requests(), 1);
    drop(rig.run);
    assert_eq!(script.open_requests(), 0);
    assert_eq!(rig.time.timers(), 0);
    assert_eq!(rig.manager.status().state, ManagerState::Stopped);
}

#[test]
fn a_chain_takes_the_first_token_and_comes_back_to_the_first_provider() {
    let first = ScriptedProvider::new()
        .error(down())
        .token("first", hours(1));
    let second = ScriptedProvider::new().token("second", minutes(10));
    let mut rig = rig(ProviderChain::new(first.clone()).or(second.clone()));
    assert_eq!(rig.password().as_deref(), Some("second"));
    rig.run.advance(minutes(8));
    assert_eq!(rig.password().as_deref(), Some("first"));
    assert_eq!((first.requests(), second.requests()), (2, 1));
}

#[test]
fn a_chain_that_fails_says_what_ended_it_or_is_most_worth_asking_again() {
    let fails = |kind| ScriptedProvider::new().error(ProviderError::new(kind));
    for (kinds, expected) in [
        (
            [ErrorKind::NotConfigured, ErrorKind::Timeout],
            ErrorKind::Timeout,
        ),
        (
            [ErrorKind::Throttled, ErrorKind::Rejected],
            ErrorKind::Throttled,
        ),
        (
            [ErrorKind::Unavailable, ErrorKind::Misconfigured],
            ErrorKind::Misconfigured,
        ),
        (
            [ErrorKind::Unavailable, ErrorKind::Timeout],
            ErrorKind::Unavailable,
        ),
    ] {
        let chain = ProviderChain::new(fails(kinds[0])).or(fails(kinds[1]));
        let error = futures::executor::block_on(chain.request_token(&ManualClock::new().request()))
            .unwrap_err();
        assert_eq!(error.kind(), expected, "{kinds:?}");
    }
    let error = ProviderChain::from_list(Vec::new()).unwrap_err();
    assert_eq!(error.field(), "providers");
    let one: Vec<Box<dyn IdentityProvider>> =
        vec![Box::new(StaticToken::new(Token::new("user", "password")))];
    assert!(ProviderChain::from_list(one).is_ok());
}
