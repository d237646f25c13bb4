use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis::AsyncCommands;
use redis::aio::ConnectionLike;
use redis_authx_redis::AuthConnection;
use tokio::task::JoinSet;

/// The key that every task counts in, by default.
pub const KEY: &str = "count";

/// Tasks that INCR without a pause.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    seen: Arc<Counts>,
    tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicU64,
    failed: AtomicU64,
    errors: Mutex<Vec<String>>,
}

/// What the application saw.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// INCRs that were answered.
    pub acknowledged: u64,
    /// INCRs that failed.
    pub failed: u64,
    /// The errors, each text once.
    pub errors: Vec<String>,
}

impl Load {
    /// `tasks` tasks, spread evenly over `connections`.
    #[must_use]
    pub fn start(connections: &[AuthConnection], tasks: usize) -> Self {
        Self::over([KEY.to_owned()], connections, tasks)
    }

    /// The same over many keys, on any kind of connection.
    #[must_use]
    pub fn over<C>(keys: impl IntoIterator<Item = String>, connections: &[C], tasks: usize) -> Self
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        let keys: Arc<[String]> = keys.into_iter().collect();
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Counts::default());
        let mut running = JoinSet::new();
        for (task, connection) in connections.iter().cycle().take(tasks).enumerate() {
            // Each begins somewhere else.
            let first = keys.len() * task / tasks;
            running.spawn(count(
                connection.clone(),
                Arc::clone(&keys),
                first,
                Arc::clone(&stop),
                Arc::clone(&seen),
            ));
        }
        Self {
            stop,
            seen,
            tasks: running,
        }
    }

    /// What was seen so far.
    ///
    /// # Panics
    /// When a task has panicked.
    pub fn seen(&self) -> Seen {
        Seen {
            acknowledged: self.seen.acknowledged.load(Ordering::SeqCst),
            failed: self.seen.failed.load(Ordering::SeqCst),
            errors: self.seen.errors.lock().expect("no panic").clone(),
        }
    }

    /// Lets every task end its command, and says what was seen.
    ///
    /// # Panics
    /// When a task has panicked.
    pub async fn stop(mut self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.expect("no panic");
        }
        self.seen()
    }
}

async fn count<C: ConnectionLike + Send + Sync>(
    mut connection: C,
    keys: Arc<[String]>,
    first: usize,
    stop: Arc<AtomicBool>,
    seen: Arc<Counts>,
) {
    let mut turns = keys.iter().cycle().skip(first);
    while !stop.load(Ordering::SeqCst)
        && let Some(key) = turns.next()
    {
        match connection.incr::<_, _, u64>(key, 1).await {
            Ok(_) => {
                seen.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => {
                seen.failed.fetch_add(1, Ordering::SeqCst);
                let text = error.to_string();
                {
                    let mut errors = seen.errors.lock().expect("no panic");
                    if !errors.contains(&text) {
                        errors.push(text);
                    }
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
