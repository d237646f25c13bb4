//! Closes a connection that was replaced.

use std::sync::{Arc, Weak};
use std::time::Duration;

use redis_authx::Runtime;

use super::link::Link;
use super::redis::cmd;

/// A command that had looked at the link just before it was replaced is on its
/// way by then.
const GRACE: Duration = Duration::from_secs(1);

/// How long the server may take to say goodbye.
const LIMIT: Duration = Duration::from_secs(5);

/// Its socket is closed with the last handle on it. Clones of ours let go of
/// theirs with their next command: for those that nobody uses, the server is
/// asked to close it, once it has answered all that was sent before.
///
/// [`QUIT`](https://redis.io/docs/latest/commands/quit/) needs no rights, not
/// even a log-in: `COMMAND INFO quit` says `no_auth`. A server that does not answer
/// does not close it either: it stays then until those clones are used or dropped.
///
/// Of a link that is out of step, at once: nobody is to send anything on it.
pub(super) async fn leave(old: Weak<Link>, runtime: Arc<dyn Runtime>) {
    if old
        .upgrade()
        .is_some_and(|link| !link.gate.is_out_of_step())
    {
        runtime.sleep_until(runtime.now() + GRACE).await;
    }
    let Some(link) = old.upgrade() else {
        return;
    };
    let mut connection = link.connection();
    drop(link);
    connection.set_response_timeout(LIMIT);
    // Closed, or it can't be.
    let _ = cmd("QUIT").exec_async(&mut connection).await;
}
