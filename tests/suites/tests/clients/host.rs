//! A runtime, and a way to run a test on it.

use std::future::Future;

use redis_authx::Runtime;
use redis_authx_async_std::AsyncStd;
use redis_authx_smol::Smol;
use redis_authx_threads::Threads;
use redis_authx_tokio::Tokio;

pub(crate) trait Host {
    type Runtime: Runtime + Clone;

    const RUNTIME: Self::Runtime;

    fn block_on(future: impl Future<Output = ()>);
}

pub(crate) struct OnTokio;

impl Host for OnTokio {
    type Runtime = Tokio;

    const RUNTIME: Tokio = Tokio;

    fn block_on(future: impl Future<Output = ()>) {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(future);
    }
}

pub(crate) struct OnSmol;

impl Host for OnSmol {
    type Runtime = Smol;

    const RUNTIME: Smol = Smol;

    fn block_on(future: impl Future<Output = ()>) {
        smol::block_on(future);
    }
}

/// redis-rs runs on smol's reactor there, which needs no executor of smol's.
pub(crate) struct OnAsyncStd;

impl Host for OnAsyncStd {
    type Runtime = AsyncStd;

    const RUNTIME: AsyncStd = AsyncStd;

    fn block_on(future: impl Future<Output = ()>) {
        async_std::task::block_on(future);
    }
}

/// redis-rs runs on smol's reactor there as well.
pub(crate) struct OnThreads;

impl Host for OnThreads {
    type Runtime = Threads;

    const RUNTIME: Threads = Threads;

    fn block_on(future: impl Future<Output = ()>) {
        futures::executor::block_on(future);
    }
}
