//! What the cases need of a client.

use std::future::Future;

use redis_authx::{ConnectionStatus, ReauthPolicy, Runtime};
use redis_authx_suites::prompt;

use crate::site::Site;

/// Which of its connections a client opens.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Usual,
    Resp3,
    /// Its commands wait while it is being replaced.
    Waiting,
    /// Is replaced long before its token ends, when an `AUTH` is slow.
    Hasty,
}

impl Kind {
    /// No `AUTH` waits until the next token comes.
    pub(crate) fn policy(self) -> ReauthPolicy {
        let policy = prompt();
        let policy = match self {
            Self::Usual | Self::Resp3 | Self::Waiting => policy,
            Self::Hasty => policy.replace_after(0.1),
        };
        policy.build().unwrap()
    }
}

/// A connection that stays logged in, or what a client has instead. Clones share
/// it.
pub(crate) trait Connection: Clone + Send + Sync + Sized + 'static {
    /// How many connections of the server's it is.
    const SOCKETS: u64 = 1;
    /// Connections that a new token is shown on before it is sent on others.
    const SHOWINGS: u64 = 0;

    /// How many the server sees opened when one of them is replaced.
    const FOR_A_REPLACEMENT: u64;

    /// Opens it with time limits that only a server that stalls runs into.
    async fn open<R: Runtime + Clone>(site: &Site<R>, kind: Kind) -> Self;

    /// Of every connection of the server's.
    fn statuses(&self) -> Vec<ConnectionStatus>;

    fn incr(&self, key: &str) -> impl Future<Output = Result<u64, String>> + Send;

    async fn get(&self, key: &str) -> u64;

    /// Two `INCR`s of one key in the client's own kind of transaction.
    async fn incr_twice(&self, key: &str) -> (u64, u64);

    /// Lets it go, as the client's users do.
    async fn close(self);
}

/// A client that can be seen to be inside a transaction of commands of its own.
pub(crate) trait Raw: Connection {
    async fn multi(&self);

    /// What an `INCR` is answered.
    async fn queue_incr(&self, key: &str) -> String;

    async fn exec(&self) -> Vec<u64>;
}
