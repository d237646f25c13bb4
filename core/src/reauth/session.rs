use std::fmt;

use async_trait::async_trait;

use super::ReauthError;
use crate::Token;

/// A live connection that can take a new token.
///
/// The two futures are given a time limit, are dropped when it runs out, and
/// never run at the same time for one session.
#[async_trait]
pub trait Session: fmt::Debug + Send + Sync + 'static {
    /// Whether the connection is there, as far as is known without asking the
    /// server.
    fn is_connected(&self) -> bool;

    /// Sends `AUTH` with `token` on the connection and reads its reply.
    ///
    /// # Errors
    /// The [kind](super::ReauthErrorKind) decides what is tried next.
    ///
    /// # Cancel safety
    /// Must be: an `AUTH` that is answered late is followed by another, or the
    /// session is not [connected](Self::is_connected) any more.
    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError>;

    /// Opens another connection that logs in with `token` and, only once it
    /// has, puts it in the place of this one.
    ///
    /// # Errors
    /// As [`authenticate`](Self::authenticate); the old connection then stays.
    ///
    /// # Cancel safety
    /// Must be: either the old connection or the new one is in place.
    async fn replace(&self, token: &Token) -> Result<(), ReauthError>;
}

const _: fn(&dyn Session) = |_| ();
