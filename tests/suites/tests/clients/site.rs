//! An emulator away from the test's runtime, and a token manager on it.

use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use redis_authx::{Clock, Event, RefreshPolicy, Runtime, TokenManager};
use redis_authx_emulator::{Emulator, Store};
use redis_authx_suites::Server;

use crate::host::Host;

/// Nothing here takes longer, on a machine however busy.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Where a case runs.
pub(crate) struct Site<R> {
    pub(crate) runtime: R,
    pub(crate) emulator: Arc<Emulator>,
    pub(crate) manager: TokenManager,
    events: Arc<Mutex<Vec<Event>>>,
}

/// Runs a case on `H`, with everything it needs around it, if that version of the server is
/// on this machine.
pub(crate) fn run<H: Host, F: Future<Output = ()>>(
    version: &str,
    case: impl FnOnce(Site<H::Runtime>) -> F,
) {
    let Some(server) = Server::named(version) else {
        return;
    };
    let background = tokio::runtime::Runtime::new().unwrap();
    let emulator = Emulator::builder()
        .token_lifetime(Duration::from_secs(12))
        .store(Store::RedisServer)
        .redis_server_program(server.program())
        .start();
    let emulator = Arc::new(background.block_on(emulator).unwrap());
    H::block_on(async {
        case(Site::start(H::RUNTIME, Arc::clone(&emulator))).await;
    });
}

impl<R: Runtime + Clone> Site<R> {
    fn start(runtime: R, emulator: Arc<Emulator>) -> Self {
        let refresh = RefreshPolicy::builder()
            .expiration_refresh_ratio(0.125)
            .build()
            .unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&events);
        let manager = TokenManager::builder(emulator.client_secret_identity().unwrap())
            .refresh_policy(refresh)
            .observer(move |event: &Event| log.lock().unwrap().push(event.clone()))
            .spawn(runtime.clone())
            .unwrap();
        Self {
            runtime,
            emulator,
            manager,
            events,
        }
    }

    pub(crate) fn url(&self, query: &str) -> String {
        let url = self.emulator.redis_url();
        format!("{}/{query}", url.trim_end_matches('/'))
    }

    pub(crate) async fn sleep(&self, time: Duration) {
        sleep(&self.runtime, time).await;
    }

    /// How many events are like that.
    pub(crate) fn count(&self, like: impl Fn(&Event) -> bool) -> usize {
        let events = self.events.lock().unwrap();
        events.iter().filter(|event| like(event)).count()
    }

    /// Waits until `reached`.
    pub(crate) async fn until(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !reached(self) {
            let status = self.manager.status();
            assert!(
                start.elapsed() < PATIENCE,
                "not reached: {what}; {status:?}"
            );
            self.sleep(Duration::from_millis(5)).await;
        }
    }

    pub(crate) fn rotations(&self) -> usize {
        self.count(|event| matches!(event, Event::TokenRefreshed { .. }))
    }

    /// Waits for `count` more rotations.
    pub(crate) async fn rotate(&self, count: usize) {
        let target = self.rotations() + count;
        self.until("a rotation", |site| site.rotations() >= target)
            .await;
    }

    /// Has the token rotate now.
    pub(crate) async fn turn(&self) {
        let target = self.rotations() + 1;
        self.manager.refresh();
        self.until("a rotation", |site| site.rotations() >= target)
            .await;
    }

    /// From now on tokens live that long, which is longer than before.
    pub(crate) async fn live_longer(&self, life: Duration) {
        self.emulator.identity().set_token_lifetime(life);
        // One of the old kind may be under way.
        let of_the_new = |event: &Event| matches!(event, Event::TokenRefreshed { lifetime: Some(is), .. } if *is > life * 3 / 4);
        while self.count(of_the_new) == 0 {
            self.turn().await;
        }
    }
}

pub(crate) async fn sleep(clock: &impl Clock, time: Duration) {
    clock.sleep_until(clock.now() + time).await;
}
