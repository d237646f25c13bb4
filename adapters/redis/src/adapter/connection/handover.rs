//! Ends the commands that block a connection which has been replaced.

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::redis::aio::MultiplexedConnection;
use super::redis::{RedisResult, cmd};
use async_lock::RwLockWriteGuardArc;
use futures_util::future::{Either, select};
use redis_authx::Runtime;

use super::link::Link;

/// How long it may take; what blocks then still stays where it is, and ends
/// with the old connection. Each takes a round trip or two.
const LIMIT: Duration = Duration::from_secs(5);

/// The wait before a command is looked for again that was not found blocked:
/// it may be on its way. Doubles …
const PAUSE: Duration = Duration::from_millis(1);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The text of the error that ends a command on behalf of `CLIENT UNBLOCK id
/// ERROR` begins with it.
pub(super) const UNBLOCKED: &str = "UNBLOCKED";

/// The connection that was replaced, and the one in its place.
pub(super) struct Handover {
    pub(super) old: Arc<Link>,
    pub(super) new: MultiplexedConnection,
    /// Held until all is over, so that nothing blocks the new one: its requests
    /// to end what blocks the old one would come too late.
    pub(super) _shut: Option<RwLockWriteGuardArc<()>>,
    pub(super) runtime: Arc<dyn Runtime>,
}

impl Handover {
    pub(super) async fn run(mut self) {
        self.new.set_response_timeout(LIMIT);
        let limit = self.sleep(LIMIT);
        let (unblock, probe) = (pin!(self.unblock()), pin!(self.probe()));
        select(select(unblock, probe), limit).await;
    }

    /// Ends one command after the other, until none is left.
    async fn unblock(&self) {
        let Some(id) = self.old.id().await else {
            return;
        };
        let mut new = self.new.clone();
        let mut pause = PAUSE;
        loop {
            let unblocked = self.old.gate.unblocked();
            if self.is_over() {
                return;
            }
            let ended: RedisResult<bool> = cmd("CLIENT")
                .arg("UNBLOCK")
                .arg(id)
                .arg("ERROR")
                .query_async(&mut new)
                .await;
            if ended.is_err() {
                return;
            }
            pause = match select(unblocked, self.sleep(pause)).await {
                Either::Left(_) => PAUSE,
                Either::Right(_) => LONGEST_PAUSE.min(pause * 2),
            };
        }
    }

    /// Commands that nobody waits for any more have ended when one is answered
    /// that was sent after them.
    async fn probe(&self) {
        let mut old = self.old.connection();
        loop {
            let mark = self.old.gate.mark();
            if mark > 0 {
                if cmd("PING").query_async::<()>(&mut old).await.is_err() {
                    return pending().await;
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
