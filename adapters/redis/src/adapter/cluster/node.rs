//! The connection to one node: what redis-rs routes commands to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::redis::aio::ConnectionLike;
use super::redis::cluster_async::Connect;
use super::redis::{
    Arg, AsyncConnectionConfig, Cmd, IntoConnectionInfo, Pipeline, RedisFuture, RedisResult, Value,
};

use super::super::effect;
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
            if let Some(each) = one_by_one(cmd) {
                let count = each.cmd_iter().count();
                let sent = self.connection.req_packed_commands(&each, 0, count);
                let replies = or_lost(sent.await)?;
                let is_error = |reply: &Value| matches!(reply, Value::ServerError(_));
                let error = replies.iter().position(is_error).unwrap_or(0);
                return Ok(replies.into_iter().nth(error).unwrap_or(Value::Nil));
            }
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

/// A command that subscribes to several channels, as one that subscribes for each.
///
/// redis-rs 1.8 and 2.0 subscribe again so after a reconnect, and take the first
/// of the confirmations for the reply: each of the others would be taken for the
/// reply to a later command (`resubscribe_node` in its `cluster_async`).
fn one_by_one(command: &Cmd) -> Option<Pipeline> {
    let words = effect::words(command.args_iter());
    let [name, channels @ ..] = words.as_slice() else {
        return None;
    };
    let subscribes = [b"SUBSCRIBE".as_slice(), b"PSUBSCRIBE", b"SSUBSCRIBE"];
    let subscribes = |name: &[u8]| subscribes.iter().any(|it| name.eq_ignore_ascii_case(it));
    if channels.len() < 2 || !subscribes(name) {
        return None;
    }
    let mut each = Pipeline::new();
    for channel in channels {
        each.cmd(std::str::from_utf8(name).ok()?).arg(*channel);
    }
    Some(each)
}

pub(crate) fn is_readonly(command: &Cmd) -> bool {
    let mut words = command.args_iter();
    words.next() == Some(Arg::Simple(b"READONLY".as_slice()))
}

#[cfg(test)]
mod tests {
    use super::super::redis::cmd;
    use super::*;

    #[test]
    fn each_channel_is_subscribed_to_by_a_command_of_its_own() {
        let mut subscribe = cmd("ssubscribe");
        subscribe.arg("a").arg("b").arg("c");
        let each = one_by_one(&subscribe).unwrap();
        let each: Vec<_> = each
            .cmd_iter()
            .map(|command| effect::words(command.args_iter()).concat())
            .collect();
        assert_eq!(each, [b"ssubscribea", b"ssubscribeb", b"ssubscribec"]);
        for other in ["UNSUBSCRIBE", "MGET"] {
            assert!(
                one_by_one(cmd(other).arg("a").arg("b")).is_none(),
                "{other}"
            );
        }
        assert!(one_by_one(cmd("SUBSCRIBE").arg("a")).is_none());
    }
}
