//! The connection to one node: what redis-rs routes commands to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::redis::aio::ConnectionLike;
use super::redis::cluster_async::Connect;
use super::redis::{
    Arg, AsyncConnectionConfig, Cmd, IntoConnectionInfo, Pipeline, RedisFuture, RedisResult, Value,
};

use super::outcome::{self, Replies};
use super::{AuthConnection, error, registry};

/// Fails at once when it is lost, and then redis-rs opens another: nobody else
/// does, or there would be two.
#[derive(Clone)]
pub(crate) struct Node {
    connection: AuthConnection,
    /// redis-rs has had it read from a replica; so must a replacement.
    read_only: Arc<AtomicBool>,
}

impl Node {
    pub(crate) const fn new(connection: AuthConnection, read_only: Arc<AtomicBool>) -> Self {
        Self {
            connection,
            read_only,
        }
    }
}

impl Connect for Node {
    fn connect_with_config<'a, T>(info: T, config: AsyncConnectionConfig) -> RedisFuture<'a, Self>
    where
        T: IntoConnectionInfo + Send + 'a,
    {
        Box::pin(async move {
            let info = info.into_connection_info()?;
            registry::find(&info)?.log_in(info, config).await
        })
    }
}

impl ConnectionLike for Node {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async move {
            let value = or_lost(self.connection.req_packed_command(cmd).await)?;
            if value == Value::Okay && is_readonly(cmd) {
                self.read_only.store(true, Ordering::Release);
            }
            Ok(value)
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let sent = self.connection.req_packed_commands(pipeline, offset, count);
            or_lost(sent.await)
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

/// A request that was not executed because the node is logged out: redis-rs
/// would hand that on, and keep the connection. Of one that is lost it opens
/// another and sends the request again.
pub(crate) fn or_lost<T: Replies>(result: RedisResult<T>) -> RedisResult<T> {
    if outcome::is_logged_out(&result) {
        Err(error::logged_out())
    } else {
        result
    }
}

pub(crate) fn is_readonly(command: &Cmd) -> bool {
    let mut words = command.args_iter();
    words.next() == Some(Arg::Simple(b"READONLY".as_slice()))
}
