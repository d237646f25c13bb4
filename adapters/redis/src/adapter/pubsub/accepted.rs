//! Which tokens a server is known to accept.

use std::future::Future;

use super::redis::RedisResult;
use async_lock::Mutex;
use redis_authx::Token;

/// The latest generation that the server has accepted on a connection of its own.
///
/// A subscriber's connection is sent no other, except when no other connection can be
/// opened: messages that are on their way count as pending replies, and with one
/// pending, redis-server 7.2 and later does not answer an `AUTH` that it refuses
/// ([redis/redis#15640](https://github.com/redis/redis/issues/15640)).
#[derive(Debug, Default)]
pub(crate) struct Accepted(Mutex<u64>);

impl Accepted {
    /// Has a token accepted by `log_in`, unless it is known to be. One connection
    /// does for all subscribers of a client.
    pub(super) async fn check<T>(
        &self,
        token: &Token,
        log_in: impl Future<Output = RedisResult<T>>,
    ) -> RedisResult<()> {
        let mut newest = self.0.lock().await;
        if *newest != token.generation() {
            drop(log_in.await?);
            *newest = token.generation();
        }
        Ok(())
    }
}
