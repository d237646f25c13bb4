//! Providers and runtimes behind a pointer, and wakers that outlive what they wake.

use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use futures::executor::block_on;
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{
    IdentityProvider, Runtime, Spawner, StaticToken, Token, TokenError, TokenManager,
};

use crate::support::rig_with;

#[test]
fn a_provider_behind_a_pointer_is_a_provider() {
    let identity = || StaticToken::new(Token::new("user", "s3cret"));
    let shared: Arc<dyn IdentityProvider> = Arc::new(identity());
    let boxed: Box<dyn IdentityProvider> = Box::new(identity());
    let time = ManualClock::new();
    let request = time.request();
    for token in [
        block_on(shared.request_token(&request)),
        block_on(Arc::clone(&shared).request_token(&request)),
        block_on(boxed.request_token(&request)),
        block_on(Arc::new(boxed).request_token(&request)),
    ] {
        assert_eq!(token.unwrap().password(), "s3cret");
    }
    let rig = crate::support::rig(shared);
    assert_eq!(rig.password().as_deref(), Some("s3cret"));
}

#[test]
fn a_runtime_behind_a_pointer_is_a_runtime() {
    let time = ManualClock::new();
    let runtime: Arc<dyn Runtime> = Arc::new(time.clone());
    let script = ScriptedProvider::new()
        .token("a", hours(1))
        .token("b", hours(1));
    let manager = TokenManager::builder(script)
        .spawn(Arc::clone(&runtime))
        .unwrap();
    let ran = Arc::new(Mutex::new(false));
    let runs = Arc::clone(&ran);
    runtime
        .spawn(Box::pin(async move { *runs.lock().unwrap() = true }))
        .unwrap();
    let mut run = time.run(async {});
    assert!(*ran.lock().unwrap());
    run.advance(minutes(46));
    assert_eq!(manager.credentials().current().unwrap().password(), "b");
}

#[test]
fn a_stale_token_is_not_handed_out_even_to_who_does_not_wait() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().token("a", hours(1)).hang();
    let rig = rig_with(&time, script, |builder| builder);
    let credentials = rig.manager.credentials();
    // The machine has slept, and nothing has run since.
    time.suspend(hours(2));
    let outcome = futures::FutureExt::now_or_never(credentials.get(Duration::ZERO));
    assert!(
        matches!(outcome, Some(Err(TokenError::Pending { .. }))),
        "{outcome:?}"
    );
}

#[test]
fn a_waker_that_outlives_its_clock_wakes_nobody() {
    let kept: Arc<Mutex<Option<Waker>>> = Arc::default();
    let keeps = Arc::clone(&kept);
    let time = ManualClock::new();
    let run = time.run(std::future::poll_fn(move |cx| {
        keeps.lock().unwrap().replace(cx.waker().clone());
        Poll::Pending
    }));
    assert_eq!(Arc::strong_count(&kept), 2);
    drop((run, time));
    assert_eq!(Arc::strong_count(&kept), 1, "the task is gone");
    let waker = kept.lock().unwrap().take();
    waker.expect("one was kept").wake();
}
