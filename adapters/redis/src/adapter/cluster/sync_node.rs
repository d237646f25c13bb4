//! The sync connection to one node: what redis-rs routes commands to.

use std::time::Duration;

use super::redis::cluster::Connect;
use super::redis::{
    Cmd, ConnectionLike, ErrorKind, IntoConnectionInfo, RedisError, RedisResult, Value,
};

use super::super::sync::AuthSyncConnection;
use super::node::{is_readonly, or_lost};
use super::registry;

/// Fails at once when it is lost, and then redis-rs opens another.
pub(crate) struct SyncNode(AuthSyncConnection);

impl SyncNode {
    pub(crate) const fn new(connection: AuthSyncConnection) -> Self {
        Self(connection)
    }
}

impl Connect for SyncNode {
    fn connect<T: IntoConnectionInfo>(info: T, timeout: Option<Duration>) -> RedisResult<Self> {
        let info = info.into_connection_info()?;
        registry::find(&info)?.log_in_blocking(info, timeout)
    }

    fn set_write_timeout(&self, dur: Option<Duration>) -> RedisResult<()> {
        self.0.set_write_timeout(dur)
    }

    fn set_read_timeout(&self, dur: Option<Duration>) -> RedisResult<()> {
        self.0.set_read_timeout(dur)
    }

    /// redis-rs calls this and the next for its `ClusterPipeline` alone, and
    /// that takes its own connections alone.
    fn send_packed_command(&mut self, _cmd: &[u8]) -> RedisResult<()> {
        Err(apart())
    }

    fn recv_response(&mut self) -> RedisResult<Value> {
        Err(apart())
    }
}

fn apart() -> RedisError {
    RedisError::from((
        ErrorKind::Client,
        "a reply is read with its command, or an AUTH could get in between",
    ))
}

impl ConnectionLike for SyncNode {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        or_lost(self.0.req_packed_command(cmd))
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        or_lost(self.0.req_packed_commands(cmd, offset, count))
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let value = or_lost(self.0.req_command(cmd))?;
        if value == Value::Okay && is_readonly(cmd) {
            self.0.read_from_replica();
        }
        Ok(value)
    }

    fn get_db(&self) -> i64 {
        self.0.get_db()
    }

    fn check_connection(&mut self) -> bool {
        self.0.check_connection()
    }

    fn is_open(&self) -> bool {
        self.0.is_open()
    }
}
