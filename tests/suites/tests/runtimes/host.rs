//! A runtime, and a way to run a test on it.

use std::sync::mpsc::{self, TryRecvError};
use std::thread;

use redis_authx::Runtime;
use redis_authx::testing::{ManualClock, Run};
use redis_authx_async_std::AsyncStd;
use redis_authx_smol::Smol;
use redis_authx_threads::Threads;
use redis_authx_tokio::{OnTokio, Tokio};

pub(crate) trait Host {
    type Runtime: Runtime + Clone;

    fn start() -> Self;

    fn runtime(&self) -> Self::Runtime;

    fn block_on<F>(&mut self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static;
}

pub(crate) struct TokioCurrentThread(tokio::runtime::Runtime);

impl Host for TokioCurrentThread {
    type Runtime = Tokio;

    fn start() -> Self {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        Self(builder.enable_time().build().unwrap())
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

pub(crate) struct TokioMultiThread(tokio::runtime::Runtime);

impl Host for TokioMultiThread {
    type Runtime = Tokio;

    fn start() -> Self {
        Self(tokio_threads())
    }

    fn runtime(&self) -> Tokio {
        Tokio
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

/// The test runs outside the runtime that its tasks and timers are on.
pub(crate) struct OnTokioFromOutside(tokio::runtime::Runtime);

impl Host for OnTokioFromOutside {
    type Runtime = OnTokio;

    fn start() -> Self {
        Self(tokio_threads())
    }

    fn runtime(&self) -> OnTokio {
        OnTokio::new(self.0.handle().clone())
    }

    fn block_on<F: Future>(&mut self, future: F) -> F::Output {
        futures::executor::block_on(future)
    }
}

fn tokio_threads() -> tokio::runtime::Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_time().build().unwrap()
}

/// For runtimes that a process has one of, and that work from any thread: the
/// test's own knows nothing of them.
macro_rules! everywhere {
    ($host:ident: $runtime:ident) => {
        pub(crate) struct $host;

        impl Host for $host {
            type Runtime = $runtime;

            fn start() -> Self {
                Self
            }

            fn runtime(&self) -> $runtime {
                $runtime
            }

            fn block_on<F: Future>(&mut self, future: F) -> F::Output {
                futures::executor::block_on(future)
            }
        }
    };
}

everywhere!(AsyncStdHost: AsyncStd);
everywhere!(SmolHost: Smol);
everywhere!(ThreadsHost: Threads);

/// Moves time on whenever nothing can go on without; when no timer is set, it
/// waits for another thread.
pub(crate) struct ManualHost {
    clock: ManualClock,
    run: Run,
}

impl Host for ManualHost {
    type Runtime = ManualClock;

    fn start() -> Self {
        let clock = ManualClock::new();
        let run = clock.run(async {});
        Self { clock, run }
    }

    fn runtime(&self) -> ManualClock {
        self.clock.clone()
    }

    fn block_on<F>(&mut self, future: F) -> F::Output
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let (done, result) = mpsc::channel();
        self.run.spawn(async move {
            let _ = done.send(future.await);
        });
        loop {
            match result.try_recv() {
                Ok(output) => return output,
                Err(TryRecvError::Disconnected) => panic!("the test was dropped"),
                Err(TryRecvError::Empty) => {}
            }
            if self.run.advance_to_next().is_none() {
                thread::yield_now();
            }
        }
    }
}
