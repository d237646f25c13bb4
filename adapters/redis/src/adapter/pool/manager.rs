use std::any::type_name;
use std::fmt;
use std::future::Future;

use super::redis::RedisResult;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

type Open<C> = dyn Fn() -> BoxFuture<'static, RedisResult<C>> + Send + Sync;

/// Fills a pool with connections of any kind: to a cluster, say, or with
/// redis-rs's own settings. Features `bb8` and `deadpool`.
///
/// [`AuthClient`](crate::AuthClient) itself is a manager for what most pools
/// hold, [`multiplexed`](crate::AuthClient::multiplexed) connections.
pub struct PoolManager<C>(Box<Open<C>>);

impl<C> PoolManager<C> {
    /// A manager whose connections are opened by `open`, which is given a
    /// clone of `client` each time: of an [`AuthClient`](crate::AuthClient) or
    /// whatever has connections.
    pub fn new<T, F, R>(client: &T, open: F) -> Self
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(T) -> R + Send + Sync + 'static,
        R: Future<Output = RedisResult<C>> + Send + 'static,
    {
        let client = client.clone();
        Self(Box::new(move || open(client.clone()).boxed()))
    }

    pub(super) fn open(&self) -> BoxFuture<'static, RedisResult<C>> {
        (self.0)()
    }
}

impl<C> fmt::Debug for PoolManager<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolManager")
            .field("connection", &type_name::<C>())
            .finish_non_exhaustive()
    }
}
