use super::redis::{ConnectionLike, RedisError, RedisResult, pipe};
use ::r2d2::ManageConnection;

use super::{AuthClient, AuthSyncConnection, is_fit};

/// A pool of [sync connections](AuthClient::connection). Feature `r2d2`.
impl ManageConnection for AuthClient {
    type Connection = AuthSyncConnection;
    type Error = RedisError;

    fn connect(&self) -> RedisResult<AuthSyncConnection> {
        self.connection()
    }

    /// Whatever the last user watched is forgotten.
    fn is_valid(&self, connection: &mut AuthSyncConnection) -> RedisResult<()> {
        let mut check = pipe();
        check.cmd("UNWATCH").cmd("PING");
        let packed = check.get_packed_pipeline();
        is_fit(&connection.req_packed_commands(&packed, 0, 2)?)
    }

    fn has_broken(&self, connection: &mut AuthSyncConnection) -> bool {
        !connection.is_open() || connection.is_in_transaction()
    }
}
