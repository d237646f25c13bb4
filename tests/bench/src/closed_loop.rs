//! A load: tasks that each send a command, wait for its reply, and send the
//! next.

use std::future::Future;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hdrhistogram::Histogram;
use redis::Cmd;
use redis::aio::ConnectionLike;

/// Sends one command and waits for its reply.
pub(crate) trait Caller: Send + 'static {
    /// # Panics
    /// When it fails: a load that is measured must not.
    fn call(&mut self) -> impl Future<Output = ()> + Send;
}

/// A command on a connection of redis-rs.
#[derive(Clone, Debug)]
pub(crate) struct OnConnection<C>(pub(crate) C, pub(crate) Cmd);

impl<C: ConnectionLike + Send + Sync + 'static> Caller for OnConnection<C> {
    async fn call(&mut self) {
        self.1.exec_async(&mut self.0).await.expect("a reply");
    }
}

/// Keeps what one task sees.
pub(crate) trait Record: Send + 'static {
    fn record(&mut self, begun: Instant, done: Instant);
}

/// How long commands took, in ns.
pub(crate) type Latency = Histogram<u64>;

impl Record for Latency {
    fn record(&mut self, begun: Instant, done: Instant) {
        let spent = done.duration_since(begun).as_nanos();
        *self += u64::try_from(spent).unwrap_or(u64::MAX);
    }
}

/// Has a task for each caller call for `time`.
pub(crate) async fn drive<R: Record>(
    callers: impl IntoIterator<Item = impl Caller>,
    time: Duration,
    recorder: impl Fn() -> R,
) -> Vec<R> {
    let end = Instant::now() + time;
    let tasks = callers.into_iter().map(|mut caller| {
        let mut recorder = recorder();
        tokio::spawn(async move {
            let mut begun = Instant::now();
            while begun < end {
                caller.call().await;
                let done = Instant::now();
                recorder.record(begun, done);
                begun = done;
            }
            recorder
        })
    });
    let done = join_all(tasks.collect::<Vec<_>>()).await;
    done.into_iter()
        .map(|task| task.expect("no panic"))
        .collect()
}

/// The latency of all calls together.
pub(crate) async fn latency(
    callers: impl IntoIterator<Item = impl Caller>,
    time: Duration,
) -> Latency {
    let empty = || Latency::new(3).expect("three digits");
    let mut all = empty();
    for one in drive(callers, time, empty).await {
        all += one;
    }
    all
}
