//! Connections of either side, used in one way.

use redis::aio::{ConnectionLike, ConnectionManager, MultiplexedConnection};
use redis::{Cmd, Pipeline, RedisFuture, Value};
use redis_authx_redis::AuthConnection;

/// A connection: redis-rs's own, or ours.
#[derive(Clone)]
pub(crate) enum Connection {
    Multiplexed(MultiplexedConnection),
    Manager(ConnectionManager),
    Ours(AuthConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Multiplexed(one) => one.req_packed_command(cmd),
            Self::Manager(one) => one.req_packed_command(cmd),
            Self::Ours(one) => one.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Multiplexed(one) => one.req_packed_commands(pipeline, offset, count),
            Self::Manager(one) => one.req_packed_commands(pipeline, offset, count),
            Self::Ours(one) => one.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Multiplexed(one) => one.get_db(),
            Self::Manager(one) => one.get_db(),
            Self::Ours(one) => one.get_db(),
        }
    }
}
