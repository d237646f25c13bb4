//! What a measurement stands on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use redis_authx_emulator::{Emulator, EmulatorBuilder, Store};
use tokio::runtime::{self, Runtime};
use tokio::time::timeout;

use super::plan::Plan;
use super::situation::Side;

/// Handed to every measurement: which side, how much, and the servers.
#[derive(Clone, Debug)]
pub(crate) struct Bench {
    pub(crate) side: Side,
    /// Seconds instead of minutes: shows that it runs, not what it finds.
    pub(crate) smoke: bool,
    /// What a run may take.
    pub(crate) limit: Duration,
    /// What the script of that name printed, if it has been run.
    pub(crate) footprint: Option<Arc<str>>,
    pub(crate) servers: Arc<Servers>,
}

/// A thread of their own for the emulators, apart from the clients'.
#[derive(Debug)]
pub(crate) struct Servers(Runtime);

impl Servers {
    pub(crate) fn new() -> Self {
        Self(threads(1))
    }
}

impl Bench {
    /// The one for a full run, or the other for `--smoke`.
    pub(crate) fn pick<T>(&self, full: T, smoke: T) -> T {
        if self.smoke { smoke } else { full }
    }

    /// Starts an emulator, on the servers' thread.
    ///
    /// # Panics
    /// When it does not start.
    pub(crate) fn emulator(&self, builder: EmulatorBuilder) -> Emulator {
        let started = self.servers.0.block_on(builder.start());
        started.expect("the emulator starts")
    }

    /// Starts an emulator before a redis-server of its own, with the tokens of
    /// `plan`.
    ///
    /// # Panics
    /// When it does not start.
    pub(crate) fn gateway(&self, plan: Plan) -> Emulator {
        let builder = Emulator::builder().token_lifetime(plan.lifetime);
        self.emulator(builder.store(Store::RedisServer))
    }

    /// Runs the client's part, on a thread of its own beside this one. Whatever
    /// it leaves running ends with it.
    ///
    /// # Panics
    /// When it takes longer than the situation may.
    pub(crate) fn run<T>(&self, client: impl Future<Output = T>) -> T {
        let runtime = threads(1);
        let done = runtime.block_on(async { timeout(self.limit, client).await });
        runtime.shutdown_background();
        done.unwrap_or_else(|_| panic!("not done within {:?}", self.limit))
    }
}

fn threads(count: usize) -> Runtime {
    runtime::Builder::new_multi_thread()
        .worker_threads(count)
        .enable_all()
        .build()
        .expect("a runtime")
}
