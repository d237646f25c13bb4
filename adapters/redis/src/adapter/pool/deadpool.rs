use super::redis::aio::ConnectionLike;
use super::redis::{RedisError, RedisResult};
use ::deadpool::managed::{Manager, Metrics, RecycleResult};

use super::check::check;
use super::{AuthClient, AuthConnection, PoolManager};

/// A pool of [`multiplexed`](AuthClient::multiplexed) connections. Feature
/// `deadpool`.
impl Manager for AuthClient {
    type Type = AuthConnection;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<AuthConnection> {
        self.multiplexed().await
    }

    async fn recycle(
        &self,
        connection: &mut AuthConnection,
        _metrics: &Metrics,
    ) -> RecycleResult<RedisError> {
        Ok(check(connection).await?)
    }
}

/// Feature `deadpool`.
impl<C: ConnectionLike + Send + 'static> Manager for PoolManager<C> {
    type Type = C;
    type Error = RedisError;

    async fn create(&self) -> RedisResult<C> {
        self.open().await
    }

    async fn recycle(&self, connection: &mut C, _metrics: &Metrics) -> RecycleResult<RedisError> {
        Ok(check(connection).await?)
    }
}
