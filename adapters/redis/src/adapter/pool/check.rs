//! Whether an async connection is fit for its next user.

use super::redis::aio::ConnectionLike;
use super::redis::{RedisResult, cmd, pipe};

use super::{AuthConnection, is_fit};

/// In one round trip; whatever the last user watched is forgotten.
pub(super) async fn single(connection: &mut AuthConnection) -> RedisResult<()> {
    let mut check = pipe();
    check.cmd("UNWATCH").cmd("PING");
    let replies = connection.req_packed_commands(&check, 0, 2).await?;
    is_fit(&replies)
}

/// With a command that every kind of connection knows where to send.
pub(super) async fn any<C: ConnectionLike + Send>(connection: &mut C) -> RedisResult<()> {
    let reply = connection.req_packed_command(&cmd("PING")).await?;
    is_fit(&[reply])
}
