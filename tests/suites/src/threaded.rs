use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use redis::RedisResult;
use redis_authx::ManagerState;
use redis_authx_redis::{AuthClient, AuthSyncConnection};
use tokio::task::spawn_blocking;

use crate::Bed;

/// Threads that use a sync connection each, without a pause.
#[derive(Debug)]
pub struct Threaded {
    stop: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    threads: Vec<JoinHandle<(AuthSyncConnection, Vec<String>)>>,
}

/// What they leave behind.
#[derive(Debug)]
#[non_exhaustive]
pub struct Worked {
    /// One a thread.
    pub connections: Vec<AuthSyncConnection>,
    /// How often the work was done.
    pub done: u64,
    /// Why it failed, each text once a thread.
    pub errors: Vec<String>,
}

impl Threaded {
    /// Does the work again and again in each of `count` threads.
    ///
    /// # Panics
    /// When a connection can't be opened.
    pub async fn start(
        client: &AuthClient,
        count: usize,
        work: impl Fn(usize, &mut AuthSyncConnection) -> RedisResult<()> + Clone + Send + 'static,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let done = Arc::new(AtomicU64::new(0));
        let mut threads = Vec::new();
        for place in 0..count {
            let mut connection = open(client).await;
            let (stop, done, work) = (Arc::clone(&stop), Arc::clone(&done), work.clone());
            threads.push(thread::spawn(move || {
                let mut errors = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    match work(place, &mut connection) {
                        Ok(()) => _ = done.fetch_add(1, Ordering::SeqCst),
                        Err(error) => {
                            let text = error.to_string();
                            if !errors.contains(&text) {
                                errors.push(text);
                            }
                            thread::sleep(Duration::from_millis(10));
                        }
                    }
                }
                (connection, errors)
            }));
        }
        Self {
            stop,
            done,
            threads,
        }
    }

    /// How often the work has been done so far.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::SeqCst)
    }

    /// Lets every thread end its work.
    ///
    /// # Panics
    /// When a thread has panicked.
    pub async fn stop(self) -> Worked {
        self.stop.store(true, Ordering::SeqCst);
        let mut worked = Worked {
            connections: Vec::new(),
            done: 0,
            errors: Vec::new(),
        };
        for thread in self.threads {
            let ended = blocking(move || thread.join()).await;
            let (connection, errors) = ended.expect("no panic");
            worked.connections.push(connection);
            worked.errors.extend(errors);
        }
        worked.done = self.done.load(Ordering::SeqCst);
        worked
    }
}

impl Bed {
    /// Opens a sync connection.
    ///
    /// # Panics
    /// When it can't be opened.
    pub async fn sync(&self) -> AuthSyncConnection {
        open(&self.client).await
    }

    /// Closes every connection, and waits until that is done.
    pub async fn hang_up(&self) {
        self.emulator.redis().drop_connections();
        self.until("all are closed", |bed| {
            bed.emulator.redis().connections() == 0
        })
        .await;
    }

    /// Waits until these connections have the newest token.
    pub async fn sync_settled(&self, connections: &[AuthSyncConnection]) {
        self.until("all connections have the newest token", |bed| {
            let manager = bed.manager.status();
            let newest = |connection: &AuthSyncConnection| {
                let status = connection.status();
                status.generation == manager.generation && status.last_error.is_none()
            };
            manager.state == ManagerState::Valid && connections.iter().all(newest)
        })
        .await;
    }
}

/// Runs what blocks where it may.
///
/// # Panics
/// When that panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    spawn_blocking(work).await.expect("no panic")
}

async fn open(client: &AuthClient) -> AuthSyncConnection {
    let client = client.clone();
    let opened = blocking(move || client.connection_with_timeout(crate::PATIENCE)).await;
    opened.expect("a connection")
}
