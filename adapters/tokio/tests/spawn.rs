//! A task that can't run is an error of the call that spawns it.

use redis_authx::{ConfigError, Spawner, StaticToken, Token, TokenManager};
use redis_authx_tokio::{OnTokio, Tokio};
use tokio::runtime::Builder;

#[test]
fn outside_a_runtime_a_manager_is_refused() {
    let identity = StaticToken::new(Token::new("app", "s3cret"));
    let error = TokenManager::builder(identity).spawn(Tokio).unwrap_err();
    assert_eq!(error.field(), "runtime");
    assert_eq!(
        error.to_string(),
        "`runtime` is `Tokio` outside a tokio runtime, allowed is `Tokio` within a runtime \
         such as that of `#[tokio::main]`, or `OnTokio::new(handle)` with the handle of a runtime"
    );
}

#[test]
fn within_a_runtime_both_spawn() {
    let tokio = Builder::new_multi_thread().build().unwrap();
    let _within = tokio.enter();
    let on = OnTokio::new(tokio.handle().clone());
    for spawner in [&Tokio as &dyn Spawner, &on] {
        assert_eq!(spawn(spawner), Ok(()));
    }
}

/// A task that ends at once is not mistaken for one that was refused.
#[test]
fn tasks_that_have_ended_or_panicked_were_spawned() {
    let tokio = Builder::new_multi_thread().build().unwrap();
    let on = OnTokio::new(tokio.handle().clone());
    for round in 0..1000 {
        let task = async move { assert!(round % 100 != 99, "this task panics") };
        assert_eq!(on.spawn(Box::pin(task)), Ok(()));
    }
}

#[test]
fn a_runtime_that_has_shut_down_is_refused() {
    for mut tokio in [Builder::new_multi_thread(), Builder::new_current_thread()] {
        let tokio = tokio.build().unwrap();
        let handle = tokio.handle().clone();
        drop(tokio);
        let _within = handle.enter();
        let on = OnTokio::new(handle.clone());
        for spawner in [&Tokio as &dyn Spawner, &on] {
            let error = spawn(spawner).unwrap_err();
            assert_eq!(
                error.to_string(),
                "`runtime` is a tokio runtime that has shut down, allowed is a runtime that lives \
                 as long as what runs on it"
            );
        }
    }
}

fn spawn(spawner: &dyn Spawner) -> Result<(), ConfigError> {
    spawner.spawn(Box::pin(async {}))
}
