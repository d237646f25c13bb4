use std::fmt;

use async_trait::async_trait;
use redis_authx::{ReauthError, Token};

/// A live connection that can take a new token.
///
/// Both futures have a time limit and are dropped when it runs out. They never run at
/// the same time for one session.
#[async_trait]
pub trait Session: fmt::Debug + Send + Sync + 'static {
    /// Whether the connection is open, as far as is known without asking the server.
    fn is_connected(&self) -> bool;

    /// Sends `AUTH` with `token` on the connection and reads its reply.
    ///
    /// # Errors
    /// The [kind](redis_authx::ReauthErrorKind) decides what follows.
    ///
    /// # Cancel safety
    /// Must be cancel safe: either another `AUTH` can follow, or the session is no
    /// longer [connected](Self::is_connected).
    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError>;

    /// Opens another connection that logs in with `token` and, only once it
    /// has, puts it in the place of this one.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); the old connection then stays.
    ///
    /// # Cancel safety
    /// Must be cancel safe: either the old connection or the new one is in place.
    async fn replace(&self, token: &Token) -> Result<(), ReauthError>;
}

const _: fn(&dyn Session) = |_| ();
