//! The token manager itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use redis_authx::testing::{ScriptedProvider, hours, millis};
use redis_authx::{
    Event, IdentityProvider, ProviderError, RefreshPolicy, Runtime, Token, TokenError,
    TokenManager, TokenManagerBuilder, TokenRequest, async_trait, provider_fn,
};

use crate::support::{Alive, MINUTE, Watch, on_a_thread, task, until};

pub(crate) async fn a_manager_starts_and_hands_out_a_token(runtime: impl Runtime) {
    let manager = build(Numbered::new(hours(1))).spawn(runtime).unwrap();
    let token = manager.credentials().get(MINUTE).await.unwrap();
    assert_eq!((token.password(), token.generation()), ("1", 1));
    assert_eq!(manager.credentials().current().unwrap().password(), "1");
}

pub(crate) async fn tokens_are_rotated(runtime: impl Runtime) {
    let manager = build(Numbered::new(millis(300))).spawn(runtime).unwrap();
    let mut credentials = manager.credentials();
    let mut last = 0;
    while last < 4 {
        match credentials.changed().await {
            Ok(token) => {
                assert!(token.generation() > last);
                assert_eq!(token.password(), token.generation().to_string());
                last = token.generation();
            }
            Err(TokenError::Stopped) => panic!("it stopped by itself"),
            // The machine was too busy to renew it in time.
            Err(_) => {}
        }
    }
}

pub(crate) async fn a_refresh_brings_a_new_token(runtime: impl Runtime) {
    let manager = build(Numbered::new(hours(1))).spawn(runtime).unwrap();
    let mut credentials = manager.credentials();
    assert_eq!(credentials.changed().await.unwrap().generation(), 1);
    manager.refresh();
    assert_eq!(credentials.changed().await.unwrap().generation(), 2);
    on_a_thread(move || manager.refresh()).await;
    assert!(credentials.changed().await.unwrap().generation() > 2);
}

pub(crate) async fn stopping_ends_the_task(runtime: impl Runtime + Clone) {
    let identity = Numbered::new(hours(1));
    let task = identity.watch();
    let manager = build(identity).spawn(runtime.clone()).unwrap();
    let credentials = manager.credentials();
    credentials.get(MINUTE).await.unwrap();
    assert!(!task.gone());

    manager.stop();
    until(&runtime, || task.gone()).await;
    let after = credentials.get(MINUTE).await;
    assert!(matches!(after, Err(TokenError::Stopped)), "{after:?}");
}

pub(crate) async fn stopping_cancels_a_request_that_hangs(runtime: impl Runtime + Clone) {
    let script = ScriptedProvider::new().hang();
    let manager = build(script.clone()).spawn(runtime.clone()).unwrap();
    until(&runtime, || script.open_requests() == 1).await;
    manager.stop();
    until(&runtime, || script.open_requests() == 0).await;
    assert_eq!(script.requests(), 1);
}

pub(crate) async fn dropping_the_last_handle_leaves_nothing(runtime: impl Runtime + Clone) {
    let (identity, observer) = (Numbered::new(hours(1)), Alive::default());
    let (task, observed) = (identity.watch(), observer.watch());
    let held = Arc::new(runtime.clone());
    let holders = Arc::downgrade(&held);
    let manager = build(identity)
        .observer(move |_: &Event| {
            let _ = &observer;
        })
        .spawn(held)
        .unwrap();
    let credentials = manager.credentials();
    let mut reader = credentials.clone();
    reader.changed().await.unwrap();

    drop((manager, credentials));
    reader.refresh();
    assert_eq!(reader.changed().await.unwrap().generation(), 2);
    assert!(!task.gone() && !observed.gone() && holders.strong_count() > 0);

    drop(reader);
    until(&runtime, || {
        task.gone() && observed.gone() && holders.strong_count() == 0
    })
    .await;
}

pub(crate) async fn a_task_may_drop_the_last_handle(runtime: impl Runtime + Clone) {
    let identity = Numbered::new(hours(1));
    let managers_task = identity.watch();
    let manager = build(identity).spawn(runtime.clone()).unwrap();
    task(&runtime, async move {
        let credentials = manager.credentials();
        drop(manager);
        credentials.get(MINUTE).await.unwrap();
    })
    .await;
    until(&runtime, || managers_task.gone()).await;
}

/// From within the manager's own task.
pub(crate) async fn a_provider_may_drop_the_last_handle(runtime: impl Runtime + Clone) {
    let alive = Alive::default();
    let managers_task = alive.watch();
    let (give, taken) = oneshot::channel::<TokenManager>();
    let taken = Mutex::new(Some(taken));
    let identity = provider_fn(move || {
        let _ = &alive;
        let taken = taken.lock().unwrap().take();
        async move {
            drop(taken.unwrap().await);
            std::future::pending().await
        }
    });
    let manager = build(identity).spawn(runtime.clone()).unwrap();
    give.send(manager).unwrap();
    until(&runtime, || managers_task.gone()).await;
}

pub(crate) async fn a_plain_thread_waits_for_a_token(runtime: impl Runtime) {
    let (answer, answered) = oneshot::channel::<()>();
    let answered = answered.shared();
    let identity = provider_fn(move || {
        let answered = answered.clone();
        async move {
            answered.await.unwrap();
            Ok(Token::new("app", "s3cret"))
        }
    });
    let manager = build(identity).spawn(runtime).unwrap();
    let credentials = manager.credentials();
    let (begin, begun) = oneshot::channel();
    let thread = on_a_thread(move || {
        begin.send(()).unwrap();
        credentials.get_blocking(MINUTE)
    });
    begun.await.unwrap();
    answer.send(()).unwrap();
    assert_eq!(thread.await.unwrap().password(), "s3cret");
}

pub(crate) async fn a_plain_thread_gives_up_at_its_limit(runtime: impl Runtime) {
    let script = ScriptedProvider::new().hang();
    let manager = build(script).spawn(runtime).unwrap();
    let credentials = manager.credentials();
    let nothing = on_a_thread(move || credentials.get_blocking(millis(20))).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

pub(crate) async fn a_provider_that_panics_is_asked_again(runtime: impl Runtime + Clone) {
    let script = ScriptedProvider::new().panic().panic().token("a", hours(1));
    let manager = build(script.clone()).spawn(runtime.clone()).unwrap();
    let token = manager.credentials().get(MINUTE).await.unwrap();
    assert_eq!((token.password(), script.requests()), ("a", 3));
    assert_eq!(task(&runtime, async { 7 }).await, 7);
}

fn build(identity: impl IdentityProvider) -> TokenManagerBuilder {
    TokenManager::builder(identity).refresh_policy(quick().build().unwrap())
}

/// No lower bound, and renewals may follow one another at once.
fn quick() -> redis_authx::RefreshPolicyBuilder {
    RefreshPolicy::builder()
        .min_time_left(Duration::ZERO)
        .min_refresh_interval(millis(1))
}

/// Gives out tokens `1`, `2`, … of one lifetime, and shows whether the
/// manager's task, which owns it, still exists.
#[derive(Debug)]
struct Numbered {
    lifetime: Duration,
    issued: AtomicUsize,
    alive: Alive,
}

impl Numbered {
    fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            issued: AtomicUsize::new(0),
            alive: Alive::default(),
        }
    }

    fn watch(&self) -> Watch {
        self.alive.watch()
    }
}

#[async_trait]
impl IdentityProvider for Numbered {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        Ok(Token::new("app", number.to_string()).expires_in(self.lifetime))
    }
}
