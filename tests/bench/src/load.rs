//! A closed loop: tasks that share a connection, each of which sends its next
//! command when it has the answer to the last one.

use std::future::Future;
use std::time::{Duration, Instant};

use futures::future::join_all;
use hdrhistogram::Histogram;

/// The 128 bytes that are read and written.
pub(crate) const VALUE: [u8; 128] = [b'v'; 128];
/// Where they are.
pub(crate) const KEY: &str = "key";

/// What a loop sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Set,
    Get,
}

impl Command {
    pub(crate) const ALL: [Self; 2] = [Self::Set, Self::Get];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Get => "GET",
        }
    }
}

/// A connection that sends one command over and over. Clones share it.
pub(crate) trait Caller: Clone + Send + Sync + 'static {
    /// Sends it, and waits for the answer.
    fn call(&mut self) -> impl Future<Output = ()> + Send;

    /// Closes the connection, where dropping it doesn't.
    fn close(self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// What one run showed.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) commands: u64,
    /// In nanoseconds.
    pub(crate) latency: Histogram<u64>,
}

impl Run {
    /// Nanoseconds.
    pub(crate) fn at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64
    }
}

/// Runs `tasks` of `caller`'s clones for this long.
pub(crate) async fn load<C: Caller>(caller: &C, tasks: usize, time: Duration) -> Run {
    let end = Instant::now() + time;
    let tasks = (0..tasks).map(|_| {
        let mut caller = caller.clone();
        tokio::spawn(async move {
            let mut latency = Histogram::<u64>::new(3).expect("three digits");
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
    let mut latency = Histogram::new(3).expect("three digits");
    for done in join_all(tasks.collect::<Vec<_>>()).await {
        latency += done.expect("no panic");
    }
    Run {
        commands: latency.len(),
        latency,
    }
}
