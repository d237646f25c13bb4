//! A load that counts what an application would see.

use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fred::interfaces::{FredResult, KeysInterface};
use redis_authx_suites::KEY;
use tokio::task::JoinSet;

/// Tasks that send commands without a pause.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    seen: Arc<Counts>,
    tasks: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    acknowledged: AtomicU64,
    errors: Mutex<Vec<String>>,
}

/// What the application saw.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) acknowledged: u64,
    pub(crate) errors: Vec<String>,
}

impl Load {
    /// `tasks` tasks, each of which counts in the key that `key` gives it.
    pub(crate) fn start<C>(client: &C, tasks: usize, key: fn(usize) -> String) -> Self
    where
        C: KeysInterface + Clone + Send + Sync + 'static,
    {
        Self::of(tasks, |task| {
            let (client, key) = (client.clone(), key(task));
            move || {
                let (client, key) = (client.clone(), key.clone());
                async move { client.incr::<u64, _>(key).await.map(drop) }
            }
        })
    }

    /// `tasks` tasks, each of which does without a pause what `command` gives it.
    pub(crate) fn of<F, R>(tasks: usize, command: impl Fn(usize) -> F) -> Self
    where
        F: Fn() -> R + Send + 'static,
        R: Future<Output = FredResult<()>> + Send + 'static,
    {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Counts::default());
        let mut running = JoinSet::new();
        for task in 0..tasks {
            let (stop, seen) = (Arc::clone(&stop), Arc::clone(&seen));
            running.spawn(repeat(command(task), stop, seen));
        }
        Self {
            stop,
            seen,
            tasks: running,
        }
    }

    /// One key for all.
    pub(crate) fn one_key(_: usize) -> String {
        KEY.to_owned()
    }

    /// How many failed so far.
    pub(crate) fn failed(&self) -> usize {
        self.seen.errors.lock().unwrap().len()
    }

    pub(crate) fn acknowledged(&self) -> u64 {
        self.seen.acknowledged.load(Ordering::SeqCst)
    }

    /// Lets every task end its command, and says what was seen.
    pub(crate) async fn stop(mut self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        Seen {
            acknowledged: self.acknowledged(),
            errors: self.seen.errors.lock().unwrap().clone(),
        }
    }
}

async fn repeat<F, R>(command: F, stop: Arc<AtomicBool>, seen: Arc<Counts>)
where
    F: Fn() -> R + Send,
    R: Future<Output = FredResult<()>> + Send,
{
    while !stop.load(Ordering::SeqCst) {
        match command().await {
            Ok(()) => {
                seen.acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => {
                seen.errors.lock().unwrap().push(error.to_string());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}
