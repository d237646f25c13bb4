//! What only a thread for each task can promise.

use redis_authx::testing::hours;
use redis_authx::{ProviderError, Spawner, Token, TokenManager, provider_fn};
use redis_authx_threads::Threads;

use crate::support::{MINUTE, within_a_minute};

/// A sync program's provider may be written with whatever blocks, `block_on`
/// included, and the tasks of others go on meanwhile.
#[test]
fn tasks_and_providers_may_block() {
    within_a_minute(|| {
        let inner = TokenManager::builder(provider_fn(|| async {
            Ok(Token::new("app", "inner").expires_in(hours(1)))
        }))
        .spawn(Threads)
        .unwrap();
        let credentials = inner.credentials();
        let outer = TokenManager::builder(provider_fn(move || {
            let token = credentials.get_blocking(MINUTE);
            let user = futures::executor::block_on(async { "app" });
            async move {
                let token = token.map_err(ProviderError::unavailable)?;
                Ok(Token::new(user, token.password()).expires_in(hours(1)))
            }
        }))
        .spawn(Threads)
        .unwrap();
        let token = outer.credentials().get_blocking(MINUTE).unwrap();
        assert_eq!((token.username(), token.password()), ("app", "inner"));
    });
}

#[test]
fn a_task_has_a_named_thread_of_its_own() {
    within_a_minute(|| {
        let (tell, told) = std::sync::mpsc::channel();
        for _ in 0..2 {
            let tell = tell.clone();
            Threads
                .spawn(Box::pin(async move {
                    let thread = std::thread::current();
                    tell.send((thread.id(), thread.name().map(str::to_owned)))
                        .unwrap();
                }))
                .unwrap();
        }
        let threads = [told.recv().unwrap(), told.recv().unwrap()];
        assert_ne!(threads[0].0, threads[1].0);
        for (_, name) in threads {
            assert_eq!(name.as_deref(), Some("authx-task"));
        }
    });
}
