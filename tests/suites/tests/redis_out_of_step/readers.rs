//! Tasks that each read a value of their own, and notice another's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use redis::aio::ConnectionLike;
use redis::{RedisResult, pipe};
use redis_authx_suites::Bed;
use tokio::task::JoinSet;

/// What a task reads its value by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Commands,
    Pipelines,
    Transactions,
}

pub(crate) struct Readers {
    stop: Arc<AtomicBool>,
    read: Arc<AtomicU64>,
    tasks: JoinSet<(Vec<String>, Vec<String>)>,
}

/// Replies that were another's, and errors.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) wrong: Vec<String>,
    pub(crate) errors: Vec<String>,
}

impl Readers {
    /// So many tasks on clones of one connection.
    pub(crate) async fn start<C>(connection: &C, count: usize, by: By) -> Self
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        set_values(connection, count).await;
        Self::of_set_values(connection, count, by)
    }

    /// The same with values that are there.
    pub(crate) fn of_set_values<C>(connection: &C, count: usize, by: By) -> Self
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
    {
        let (stop, read) = (Arc::default(), Arc::default());
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (stop, read) = (Arc::clone(&stop), Arc::clone(&read));
            tasks.spawn(run(connection.clone(), number, by, stop, read));
        }
        Self { stop, read, tasks }
    }

    /// Waits until as many values as that have been read from now on.
    pub(crate) async fn go_on(&self, bed: &Bed, values: u64) {
        let enough = self.read.load(Ordering::SeqCst) + values;
        bed.until("values are read", |_| {
            self.read.load(Ordering::SeqCst) >= enough
        })
        .await;
    }

    pub(crate) async fn stop(mut self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        let mut seen = Seen::default();
        while let Some(task) = self.tasks.join_next().await {
            let (wrong, errors) = task.unwrap();
            seen.wrong.extend(wrong);
            seen.errors.extend(errors);
        }
        seen
    }
}

pub(crate) async fn set_values<C>(connection: &C, count: usize)
where
    C: ConnectionLike + Clone + Send + Sync,
{
    for number in 0..count {
        let mut set = redis::cmd("SET");
        set.arg(key(number)).arg(value(number));
        set.exec_async(&mut connection.clone()).await.unwrap();
    }
}

async fn run<C: ConnectionLike>(
    mut connection: C,
    number: usize,
    by: By,
    stop: Arc<AtomicBool>,
    read: Arc<AtomicU64>,
) -> (Vec<String>, Vec<String>) {
    let (mut wrong, mut errors) = (Vec::new(), Vec::new());
    let own = vec![value(number); 2];
    while !stop.load(Ordering::SeqCst) {
        match read_by(&mut connection, number, by).await {
            Ok(values) if values == own => {
                read.fetch_add(1, Ordering::SeqCst);
            }
            Ok(values) => wrong.push(format!("{number}: {values:?}")),
            Err(error) => {
                errors.push(error.to_string());
                tokio::task::yield_now().await;
            }
        }
    }
    (wrong, errors)
}

async fn read_by<C: ConnectionLike>(
    connection: &mut C,
    number: usize,
    by: By,
) -> RedisResult<Vec<String>> {
    let key = key(number);
    let mut pipeline = pipe();
    pipeline.get(&key).get(&key);
    match by {
        By::Commands => {
            let mut get = redis::cmd("GET");
            get.arg(&key);
            let one = get.query_async(connection).await?;
            Ok(vec![one, get.query_async(connection).await?])
        }
        By::Pipelines => pipeline.query_async(connection).await,
        By::Transactions => pipeline.atomic().query_async(connection).await,
    }
}

/// Of several slots.
pub(crate) fn key(number: usize) -> String {
    format!("own:{number}")
}

pub(crate) fn value(number: usize) -> String {
    format!("value of {number}")
}
