//! Subscribers whose messages outlive their tokens.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::redis;
use super::redis::{Msg, RedisResult, ToRedisArgs};
use futures_util::Stream;
use redis_authx::ConnectionStatus;

mod accepted;
mod connector;
mod feed;
mod link;
mod shared;
mod sink;
mod stream;
#[cfg(feature = "sync")]
mod sync;

use super::client::AuthClient;
pub(crate) use accepted::Accepted;
use shared::Shared;
pub use sink::AuthPubSubSink;
pub use stream::AuthPubSubStream;
#[cfg(feature = "sync")]
pub use sync::AuthSyncPubSub;

/// A subscriber that stays logged in: in the place of
/// [`redis::aio::PubSub`], and the same over RESP2 and RESP3.
///
/// Made by [`AuthClient::pubsub`]. Dropping it closes its connection.
///
/// # What a rotation does
/// Over RESP3 (`?protocol=resp3` in the target's URL), `AUTH` is sent on the
/// connection, and its messages go on. Over RESP2 a connection that subscribes
/// can't send `AUTH`: before its token expires, another one takes its place,
/// so that no message is lost or comes twice and each channel's order stays
/// ([how](redis_authx_session::handover#how-it-works)). That takes one more connection
/// for a moment, to publish a marker, and the right to do so:
///
/// ```text
/// ACL SETUSER <object id> &redis-authx:handover:* +publish
/// ```
///
/// Without it, none is lost, but those published within the moment when both
/// are subscribed come twice. Channels whose names begin with
/// `redis-authx:handover:` are never delivered, so that subscribing to the
/// pattern `*` shows no markers. All of this holds for the connections of one
/// Redis server; behind a proxy that spreads channels over several, use RESP3.
///
/// # What it does in other cases
///
/// | what happens | what the application gets |
/// |---|---|
/// | the connection is lost, or the server restarts | what was published until another has subscribed to the same is missing, as with any Redis client; [`gaps`](Self::gaps) counts it |
/// | the server stalls an `AUTH` over RESP3 | its messages, while they come; when the `AUTH` has timed out, another connection takes over, as below |
/// | the connection is cut off without a word | at the next rotation another takes over; what was published meanwhile, or was on its way at that moment, may be missing, which [`gaps`](Self::gaps) counts |
/// | it falls behind | up to 64 MiB of messages wait for it; those beyond are dropped, which [`gaps`](Self::gaps) counts. Renewal goes on |
/// | the token expired during an outage of the identity service | as a lost connection, until there is a token again |
/// | the token manager stops | messages until the token expires, then the end of the stream |
pub struct AuthPubSub(AuthPubSubStream);

impl AuthPubSub {
    /// Subscribes to one channel or several, on this connection and on those
    /// that take its place. Waits for a handover that is under way, and for a
    /// lost connection to be back, for the
    /// [`reconnect_wait`](super::AuthClientBuilder::reconnect_wait).
    ///
    /// # Errors
    /// redis-rs's own, and those of a
    /// [lost connection](super::AuthConnection#errors-of-commands). There is
    /// no subscription then, of any of the channels.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether there is a subscription, on this
    /// connection or on later ones only; subscribing again settles it.
    pub async fn subscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.sink().subscribe(channels).await
    }

    /// Unsubscribes from one channel or several; from all when given none, as
    /// an empty slice. Messages that have come already are delivered.
    ///
    /// # Errors
    /// redis-rs's own. The subscriptions stay then.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether there still are messages until the
    /// connection is replaced; subscribing and unsubscribing again settles it.
    pub async fn unsubscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.sink().unsubscribe(channels).await
    }

    /// [`subscribe`](Self::subscribe) with patterns, like `orders.*`.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    ///
    /// # Cancel safety
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe(&self, patterns: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.sink().psubscribe(patterns).await
    }

    /// [`unsubscribe`](Self::unsubscribe) with patterns.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe).
    ///
    /// # Cancel safety
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn punsubscribe(&self, patterns: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.sink().punsubscribe(patterns).await
    }

    /// [`subscribe`](Self::subscribe) with sharded channels, of Redis 7 and
    /// later: those of the node that the client's target names.
    ///
    /// redis-rs can't read their messages over RESP2. So the first of them
    /// moves the subscriber to a RESP3 connection, by a handover.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe); of several channels, those before
    /// the one that was refused may have messages until the connection is
    /// replaced.
    ///
    /// # Cancel safety
    /// As [`subscribe`](Self::subscribe).
    pub async fn ssubscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.sink().ssubscribe(channels).await
    }

    /// [`unsubscribe`](Self::unsubscribe) with sharded channels.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe).
    ///
    /// # Cancel safety
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn sunsubscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.sink().sunsubscribe(channels).await
    }

    /// The next message. `None` when there will be none any more: the token
    /// manager has stopped and the connection is gone, or the
    /// [runtime](super::AuthClientBuilder::runtime) has ended.
    ///
    /// # Cancel safety
    /// Safe: a message that was not returned is returned next time.
    pub async fn next(&mut self) -> Option<Msg> {
        self.0.next().await
    }

    /// How the connection is doing: the token's generation, the latest
    /// failure, the time until the server would end the session.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.0.status()
    }

    /// How often messages may be missing so far, among those that were
    /// returned: it grows with the first one that is returned after the gap,
    /// or when the stream waits for it.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.0.gaps()
    }

    /// Splits it, to subscribe from elsewhere while messages are read.
    #[must_use]
    pub fn split(self) -> (AuthPubSubSink, AuthPubSubStream) {
        (self.sink(), self.0)
    }

    fn sink(&self) -> AuthPubSubSink {
        AuthPubSubSink(Arc::downgrade(&self.0.0))
    }
}

impl Stream for AuthPubSub {
    type Item = Msg;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Msg>> {
        Pin::new(&mut self.0).poll_next(cx)
    }
}

impl fmt::Debug for AuthPubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl AuthClient {
    /// Opens a subscriber, in the place of redis-rs's `PubSub`. Feature `pubsub`.
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed); its panics too.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn pubsub(&self) -> RedisResult<AuthPubSub> {
        let shared = Shared::open(self.clone()).await?;
        Ok(AuthPubSub(AuthPubSubStream(shared)))
    }
}
