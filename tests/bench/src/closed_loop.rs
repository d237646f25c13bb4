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

/// Callers, and what each of them saw.
pub(crate) struct Loop<C>(Vec<(C, Latency)>);

impl<C: Caller> Loop<C> {
    pub(crate) fn new(callers: impl IntoIterator<Item = C>) -> Self {
        let callers = callers.into_iter();
        Self(callers.map(|caller| (caller, empty())).collect())
    }

    /// Has a task for each caller call for `time`.
    pub(crate) async fn run(&mut self, time: Duration) {
        let end = Instant::now() + time;
        let tasks = self.0.drain(..).map(|(mut caller, mut latency)| {
            tokio::spawn(async move {
                let mut begun = Instant::now();
                while begun < end {
                    caller.call().await;
                    let done = Instant::now();
                    let spent = done.duration_since(begun).as_nanos();
                    latency += u64::try_from(spent).unwrap_or(u64::MAX);
                    begun = done;
                }
                (caller, latency)
            })
        });
        let ended = join_all(tasks.collect::<Vec<_>>()).await;
        let ended = ended.into_iter().map(|one| one.expect("no panic"));
        self.0.extend(ended);
    }

    /// What they saw, added up.
    pub(crate) fn latency(&self) -> Latency {
        let mut all = empty();
        for (_, one) in &self.0 {
            all += one;
        }
        all
    }
}

fn empty() -> Latency {
    Latency::new(3).expect("three digits")
}
