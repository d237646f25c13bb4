//! Sixteen tasks that count in Redis, through one shared connection.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::AsyncCommands;
use redis_authx::{Credentials, Moment};
use redis_authx_redis::AuthConnection;
use redis_authx_tokio::Tokio;
use tokio::task::JoinSet;

const TASKS: usize = 16;

/// A failure this shortly before the token's end is put down to its end: the
/// server's clock and ours are not the same to the millisecond.
const CLOSE_TO_EXPIRY: Duration = Duration::from_millis(100);

pub(crate) struct Load {
    counts: Arc<Counts>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
pub(crate) struct Counts {
    stop: AtomicBool,
    pub(crate) commands: AtomicU64,
    pub(crate) failed: AtomicU64,
    /// Those that failed although a valid token was held.
    pub(crate) inexcusable: AtomicU64,
    first_error: Mutex<Option<String>>,
    last_failure: Mutex<Option<Instant>>,
}

impl Load {
    pub(crate) fn start(connection: &AuthConnection, credentials: &Credentials) -> Self {
        let counts = Arc::new(Counts::default());
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            tasks.spawn(count(
                connection.clone(),
                credentials.clone(),
                Arc::clone(&counts),
            ));
        }
        Self { counts, tasks }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) async fn stop(self) -> Arc<Counts> {
        self.counts.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        self.counts
    }
}

async fn count(mut connection: AuthConnection, credentials: Credentials, counts: Arc<Counts>) {
    while !counts.stop.load(Ordering::Relaxed) {
        match connection.incr::<_, _, u64>("quickstart", 1).await {
            Ok(_) => {
                counts.commands.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => {
                counts.failed(error.to_string(), token_is_valid(&credentials));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

fn token_is_valid(credentials: &Credentials) -> bool {
    let left = |token: redis_authx::Token| token.time_left(Moment::now(&Tokio));
    credentials
        .current()
        .is_ok_and(|token| left(token).is_none_or(|left| left > CLOSE_TO_EXPIRY))
}

impl Counts {
    fn failed(&self, error: String, token_was_valid: bool) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *lock(&self.last_failure) = Some(Instant::now());
        if token_was_valid {
            self.inexcusable.fetch_add(1, Ordering::Relaxed);
        }
        // The last one of an outage says more than the first, which only
        // knows that the server has hung up.
        *lock(&self.first_error) = Some(error);
    }

    /// Takes out an error to show.
    pub(crate) fn take_error(&self) -> Option<String> {
        lock(&self.first_error).take()
    }

    pub(crate) fn last_failure(&self) -> Option<Instant> {
        *lock(&self.last_failure)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
