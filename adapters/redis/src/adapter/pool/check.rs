//! Whether an async connection is fit for its next user.

use super::redis::aio::ConnectionLike;
use super::redis::{RedisResult, pipe};

use super::is_fit;

/// In one round trip, to one of the nodes of a cluster; whatever the last user
/// watched is forgotten.
pub(super) async fn check<C: ConnectionLike + Send>(connection: &mut C) -> RedisResult<()> {
    let mut check = pipe();
    check.cmd("UNWATCH").cmd("PING");
    let replies = connection.req_packed_commands(&check, 0, 2).await?;
    is_fit(&replies)
}
