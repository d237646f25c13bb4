use std::any::type_name;
use std::fmt;
use std::future::Future;

use super::redis::RedisResult;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::AuthClient;

type Open<C> = dyn Fn(AuthClient) -> BoxFuture<'static, RedisResult<C>> + Send + Sync;

/// Fills a pool with connections of any kind: to a cluster, say, or with
/// redis-rs's own settings. Features `bb8` and `deadpool`.
///
/// [`AuthClient`] itself is a manager for what most pools hold,
/// [`multiplexed`](AuthClient::multiplexed) connections.
///
/// A connection is checked with a `PING` before it is handed out again.
pub struct PoolManager<C> {
    client: AuthClient,
    open: Box<Open<C>>,
}

impl<C> PoolManager<C> {
    /// A manager whose connections are opened by `open`, which is given a
    /// handle of `client` each time.
    pub fn new<F, R>(client: &AuthClient, open: F) -> Self
    where
        F: Fn(AuthClient) -> R + Send + Sync + 'static,
        R: Future<Output = RedisResult<C>> + Send + 'static,
    {
        Self {
            client: client.clone(),
            open: Box::new(move |client| open(client).boxed()),
        }
    }

    pub(super) fn open(&self) -> BoxFuture<'static, RedisResult<C>> {
        (self.open)(self.client.clone())
    }
}

impl<C> fmt::Debug for PoolManager<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PoolManager")
            .field("client", &self.client)
            .field("connection", &type_name::<C>())
            .finish_non_exhaustive()
    }
}
