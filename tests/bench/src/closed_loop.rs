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

/// How long commands took, in ns.
pub(crate) type Latency = Histogram<u64>;

/// Has a task for each caller call for `time`, and adds up what they saw.
pub(crate) async fn latency(
    callers: impl IntoIterator<Item = impl Caller>,
    time: Duration,
) -> Latency {
    let empty = || Latency::new(3).expect("three digits");
    let end = Instant::now() + time;
    let tasks = callers.into_iter().map(|mut caller| {
        let mut latency = empty();
        tokio::spawn(async move {
            let mut begun = Instant::now();
            while begun < end {
                caller.call().await;
                let done = Instant::now();
                let spent = done.duration_since(begun).as_nanos();
                latency += u64::try_from(spent).unwrap_or(u64::MAX);
                begun = done;
            }
            latency
        })
    });
    let mut all = empty();
    for one in join_all(tasks.collect::<Vec<_>>()).await {
        all += one.expect("no panic");
    }
    all
}
