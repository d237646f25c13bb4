//! Ends the commands that block a connection which has been replaced.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::redis::aio::MultiplexedConnection;
use super::redis::{Cmd, RedisResult, Value, cmd, pipe};
use futures_util::future::{Either, select};
use redis_authx::{Runtime, Token};

use super::super::error;
use super::connector::Connector;
use super::link::Link;

/// How long it may take; what blocks then still stays where it is, and ends
/// with the old connection. Each takes a round trip or two, and all wait for the
/// end of a `CLIENT PAUSE`.
const LIMIT: Duration = Duration::from_secs(600);

/// The wait before a command is looked for again that was not found blocked:
/// it may be on its way. Doubles …
const PAUSE: Duration = Duration::from_millis(1);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The connection that was replaced, and how to open one to the same server.
///
/// A command that `CLIENT PAUSE` holds back must not be ended: servers before
/// redis/redis#14164 and valkey-io/valkey#2117, of mid-2025, answer it, and execute
/// it all the same when the pause is over. So each `CLIENT UNBLOCK` is in one
/// transaction with a command that a pause holds back as well: none is executed
/// during a pause, and after it nothing is held back any more. The connection for
/// them is of their own, for they would hold up whatever else is sent on it.
pub(super) struct Handover {
    pub(super) old: Arc<Link>,
    pub(super) connector: Arc<Connector>,
    pub(super) token: Token,
    pub(super) runtime: Arc<dyn Runtime>,
}

impl Handover {
    pub(super) async fn run(self) {
        let limit = self.sleep(LIMIT);
        let (unblock, probe) = (pin!(self.unblock()), pin!(self.probe()));
        select(select(unblock, probe), limit).await;
    }

    /// Ends one command after the other, until none is left or the server does
    /// not permit it.
    async fn unblock(&self) {
        let Some(id) = self.old.id().await else {
            return;
        };
        while !self.is_over() {
            if let Ok(own) = self.connector.connect(&self.token).await
                && self.unblock_by(own, id).await.is_ok()
            {
                return;
            }
            self.sleep(LONGEST_PAUSE).await;
        }
    }

    async fn unblock_by(&self, mut own: MultiplexedConnection, id: u64) -> RedisResult<()> {
        own.set_response_timeout(LIMIT);
        let mut held = self.held().into_iter();
        let mut pause = PAUSE;
        let Some(mut beside) = held.next() else {
            return Ok(());
        };
        loop {
            let unblocked = self.old.gate.unblocked();
            if self.is_over() {
                return Ok(());
            }
            if !unblock(&mut own, id, &beside).await? {
                match held.next() {
                    Some(next) => beside = next,
                    None => return Ok(()),
                }
                continue;
            }
            pause = match select(unblocked, self.sleep(pause)).await {
                Either::Left(_) => PAUSE,
                Either::Right(_) => LONGEST_PAUSE.min(pause * 2),
            };
        }
    }

    /// Commands that a pause of writes holds back and that do nothing: a message
    /// that nobody reads, a script, and for a user who may do neither, what blocks
    /// the connection with a time-out that is refused.
    fn held(&self) -> Vec<Cmd> {
        let mut publish = cmd("PUBLISH");
        publish.arg("redis-authx:unblock").arg("");
        let mut script = cmd("EVAL");
        script.arg("return 1").arg(0);
        let own = self.old.held().cloned();
        [publish, script].into_iter().chain(own).collect()
    }

    /// Commands that nobody waits for any more have ended when one is answered
    /// that was sent after them.
    async fn probe(&self) {
        let mut old = self.old.connection();
        old.set_response_timeout(LIMIT);
        loop {
            let mark = self.old.gate.mark();
            if mark > 0 {
                let answer = cmd("PING").exec_async(&mut old).await;
                if answer.is_err_and(|error| error::is_lost(&error)) {
                    return;
                }
                // Nobody defers an AUTH on this connection.
                let _ = self.old.gate.replied(mark);
            }
            self.sleep(LONGEST_PAUSE).await;
        }
    }

    fn is_over(&self) -> bool {
        self.old.is_lost() || !self.old.gate.is_blocked(self.runtime.now())
    }

    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + use<> {
        self.runtime.sleep_until(self.runtime.now() + time)
    }
}

/// Has the server end what blocks the connection with that `id`, unless a pause
/// holds it back. `false`: the server does not permit this.
async fn unblock(own: &mut MultiplexedConnection, id: u64, beside: &Cmd) -> RedisResult<bool> {
    // Before the rest is sent: outside a transaction, a pause might begin in it.
    if own.send_packed_command(&cmd("MULTI")).await? != Value::Okay {
        return Ok(false);
    }
    let mut rest = pipe();
    rest.add_command(beside.clone());
    rest.cmd("CLIENT").arg("UNBLOCK").arg(id).arg("ERROR");
    rest.cmd("EXEC");
    let replies = own.send_packed_commands(&rest, 2, 1).await?;
    Ok(matches!(replies.first(), Some(Value::Array(_))))
}
