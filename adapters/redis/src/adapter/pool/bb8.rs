use super::redis::aio::ConnectionLike;
use super::redis::{RedisError, RedisResult};
use ::bb8::ManageConnection;

use super::check::check;
use super::{AuthClient, AuthConnection, PoolManager};

/// A pool of [`multiplexed`](AuthClient::multiplexed) connections. Feature
/// `bb8`.
impl ManageConnection for AuthClient {
    type Connection = AuthConnection;
    type Error = RedisError;

    async fn connect(&self) -> RedisResult<AuthConnection> {
        self.multiplexed().await
    }

    async fn is_valid(&self, connection: &mut AuthConnection) -> RedisResult<()> {
        check(connection).await
    }

    fn has_broken(&self, connection: &mut AuthConnection) -> bool {
        !connection.is_connected()
    }
}

/// Feature `bb8`.
impl<C: ConnectionLike + Send + 'static> ManageConnection for PoolManager<C> {
    type Connection = C;
    type Error = RedisError;

    async fn connect(&self) -> RedisResult<C> {
        self.open().await
    }

    async fn is_valid(&self, connection: &mut C) -> RedisResult<()> {
        check(connection).await
    }

    /// Found out when it is handed out again.
    fn has_broken(&self, _connection: &mut C) -> bool {
        false
    }
}
