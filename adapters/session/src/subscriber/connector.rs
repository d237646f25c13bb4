use async_trait::async_trait;
use redis_authx::{ReauthError, Token};

use crate::handover::{Feed, Link, Marker};

/// The error of a connector's links.
pub(super) type Error<C> = <<C as SubscriberConnector>::Link as Link>::Error;

/// A message of a connector's feeds.
pub(super) type Message<C> = <<C as SubscriberConnector>::Feed as Feed>::Message;

/// Opens the connections of a [`Subscriber`](super::Subscriber) and logs them in.
/// Adapters implement it.
///
/// The methods have no time limits of their own; the subscriber sets them. All of them
/// must be cancel safe.
#[async_trait]
pub trait SubscriberConnector: Send + Sync + 'static {
    /// The half of a connection that sends commands.
    type Link: Link;
    /// The half that has the messages.
    type Feed: Feed;

    /// Opens a connection that logs in with `token`.
    ///
    /// # Errors
    /// The client's own.
    async fn open(
        &self,
        token: &Token,
    ) -> Result<(Self::Link, Self::Feed), <Self::Link as Link>::Error>;

    /// Publishes [`Marker::PAYLOAD`] on the marker's channel: over `link` if it
    /// [takes commands](Link::takes_commands), or else over another connection.
    ///
    /// # Errors
    /// The client's own.
    async fn publish(
        &self,
        marker: &Marker,
        link: &Self::Link,
        token: &Token,
    ) -> Result<(), <Self::Link as Link>::Error>;

    /// Checks that the server accepts `token`, on another connection than that of
    /// `link`: a server may not reply to an `AUTH` that it refuses between two
    /// messages.
    ///
    /// # Errors
    /// [`ReauthError`], which is not about the connection of `link`.
    async fn check_token(&self, link: &Self::Link, token: &Token) -> Result<(), ReauthError>;

    /// Sends `AUTH` on `link`, which takes commands. Nothing else is sent on it
    /// meanwhile.
    ///
    /// # Errors
    /// [`ReauthError`]. The connection is replaced if it is
    /// [`Disconnected`](redis_authx::ReauthErrorKind::Disconnected) or
    /// [`OutOfStep`](redis_authx::ReauthErrorKind::OutOfStep).
    async fn authenticate(&self, link: &Self::Link, token: &Token) -> Result<(), ReauthError>;

    /// Called when a link does not [support](Link::supports) a kind of subscription:
    /// connections that are opened from now on must.
    fn upgrade(&self) {}

    /// Converts the client's error.
    fn reauth_error(error: <Self::Link as Link>::Error) -> ReauthError;
}
