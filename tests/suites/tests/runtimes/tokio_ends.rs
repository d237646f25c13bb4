//! The only runtime that can end before its tasks do.

use std::pin::pin;
use std::sync::mpsc;
use std::thread;

use futures::executor::block_on;
use futures::poll;
use redis_authx::testing::{ScriptedProvider, hours};
use redis_authx::{Runtime, Token, TokenError, TokenManager, provider_fn};
use redis_authx_tokio::{OnTokio, Tokio};
use tokio::runtime::{Builder, Runtime as TokioRuntime};

use crate::support::{Alive, MINUTE, within_a_minute};

#[test]
fn readers_of_a_current_thread_runtime_that_ended_are_told() {
    within_a_minute(|| readers_are_told(Builder::new_current_thread(), |_| Tokio));
}

#[test]
fn readers_of_a_multi_thread_runtime_that_ended_are_told() {
    within_a_minute(|| readers_are_told(Builder::new_multi_thread(), |_| Tokio));
}

#[test]
fn readers_outside_of_a_runtime_that_ended_are_told() {
    within_a_minute(|| {
        readers_are_told(Builder::new_multi_thread(), |tokio| {
            OnTokio::new(tokio.handle().clone())
        });
    });
}

fn readers_are_told<R: Runtime>(mut tokio: Builder, on: impl FnOnce(&TokioRuntime) -> R) {
    let tokio = tokio.enable_time().build().unwrap();
    let alive = Alive::default();
    let task = alive.watch();
    let identity = provider_fn(move || {
        let _ = &alive;
        async { Ok(Token::new("app", "s3cret").expires_in(hours(1))) }
    });
    let entered = tokio.enter();
    let manager = TokenManager::builder(identity).spawn(on(&tokio)).unwrap();
    drop(entered);
    let credentials = manager.credentials();
    tokio.block_on(credentials.get(MINUTE)).unwrap();

    drop(tokio);
    assert!(task.gone());
    let outcomes = [
        credentials.get_blocking(MINUTE),
        block_on(credentials.get(MINUTE)),
        block_on(credentials.clone().changed()),
    ];
    for outcome in outcomes {
        assert!(matches!(outcome, Err(TokenError::Stopped)), "{outcome:?}");
    }
}

#[test]
fn a_manager_on_a_runtime_that_has_shut_down_is_refused() {
    let tokio = Builder::new_multi_thread().enable_time().build().unwrap();
    let on = OnTokio::new(tokio.handle().clone());
    drop(tokio);
    let script = ScriptedProvider::new().token("a", hours(1));
    let refused = TokenManager::builder(script.clone()).spawn(on);
    assert_eq!(refused.unwrap_err().field(), "runtime");
    assert_eq!(script.requests(), 0);
}

/// It waits outside, for a request that hangs and on a timer of the runtime.
#[test]
fn a_reader_that_waits_outside_while_the_runtime_ends_is_told() {
    within_a_minute(|| {
        for _ in 0..50 {
            let tokio = Builder::new_multi_thread().enable_time().build().unwrap();
            let script = ScriptedProvider::new().hang();
            let on = OnTokio::new(tokio.handle().clone());
            let manager = TokenManager::builder(script.clone()).spawn(on).unwrap();
            let credentials = manager.credentials();
            let (waits, waiting) = mpsc::channel();
            let reader = thread::spawn(move || {
                let mut get = pin!(credentials.get(MINUTE));
                block_on(async {
                    assert!(poll!(get.as_mut()).is_pending());
                    waits.send(()).unwrap();
                    get.await
                })
            });
            waiting.recv().unwrap();
            drop(tokio);
            let outcome = reader.join().unwrap();
            assert!(matches!(outcome, Err(TokenError::Stopped)), "{outcome:?}");
        }
    });
}
