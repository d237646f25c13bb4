//! A subscriber whose messages outlive its tokens.

mod build;
mod connected;
mod connector;
mod feed;
mod link;
mod messages;
mod pump;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use fred::bytes_utils::Str;
use fred::error::{Error, ErrorKind};
use fred::types::{KeyspaceEvent, Message, MultipleStrings};
use redis_authx::ConnectionStatus;
use redis_authx_session::handover::Kind;
use tokio::sync::OnceCell;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::dial::Dial;
use super::renewal::Renewal;
use connected::ConnectedSubscriber;
use messages::Messages;

/// A subscriber that stays logged in, and loses no message by it: in the place of
/// fred's [`SubscriberClient`](fred::clients::SubscriberClient), and the same over
/// RESP2 and RESP3. Feature `subscriber-client`.
///
/// A handle, cheap to clone. Made by
/// [`build_subscriber`](super::AuthBuilder::build_subscriber); its methods are those
/// that fred's has, and it needs no `manage_subscriptions`. It ends when it is
/// [quit](Self::quit) or the last handle is dropped: the connection is closed,
/// and so are all receivers.
///
/// ```no_run
/// use fred::prelude::*;
/// use redis_authx_fred::BuilderExt;
/// use tokio::sync::broadcast::error::RecvError;
/// # async fn example(manager: redis_authx::TokenManager) -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::from_url("rediss://name.region.redis.azure.net:10000")?;
/// let subscriber = Builder::from_config(config).credentials(manager.credentials()).build_subscriber()?;
///
/// let mut messages = subscriber.message_rx();
/// subscriber.init().await?;
/// subscriber.subscribe("orders").await?;
/// loop {
///     match messages.recv().await {
///         Ok(message) => println!("{}: {:?}", message.channel, message.value),
///         Err(RecvError::Lagged(missed)) => println!("too slow for {missed} messages"),
///         Err(RecvError::Closed) => break,
///     }
/// }
/// # Ok(()) }
/// ```
///
/// # What a rotation does
/// Over RESP3 (`config.version = RespVersion::RESP3`), the new token is shown to
/// the server on a connection of its own; then `AUTH` is sent on the subscriber's,
/// and its messages go on. Over RESP2 a connection that subscribes
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
/// | a handover fails | the old connection's messages, until its token expires; it is tried again until then |
/// | the connection is lost, or the server restarts | what was published until another has subscribed to the same is missing, as with any Redis client; [`gaps`](Self::gaps) counts it |
/// | the server stalls an `AUTH` over RESP3 | its messages, while they come; when three quarters of the time left have passed, another connection takes over, as below |
/// | the server leaves the reply to an `AUTH` over RESP3 out ([why](crate#server-versions)) | its messages, until another connection takes over, at once; as below |
/// | the connection is cut off without a word | at the next rotation another takes over; what was published meanwhile, or was on its way at that moment, may be missing, which [`gaps`](Self::gaps) counts |
/// | a receiver falls behind | as with fred: it holds the newest messages, as many as [`broadcast_channel_capacity`](fred::types::config::PerformanceConfig) says, 32 by default; then `recv` answers with [`Lagged`](tokio::sync::broadcast::error::RecvError::Lagged), once, and how many it has missed. Other receivers and renewal go on |
/// | more than 64 MiB come while a handover is under way | those beyond are dropped, which [`gaps`](Self::gaps) counts |
/// | the token expired during an outage of the identity service | as a lost connection, until there is a token again |
/// | the token manager stops | messages until the token expires, then the end of all receivers |
///
/// A burst can be longer than 32 messages: give the builder's
/// `with_performance_config` a `broadcast_channel_capacity` of a few thousand
/// where each of them counts. It is memory that every receiver shares, some 200
/// bytes each.
///
/// # What differs from fred's
/// * A subscription is there when [`subscribe`](Self::subscribe) returns, or its
///   error says that it is not. fred's returns before it is sent.
/// * [`init`](Self::init) tries once, whatever the builder's reconnect policy:
///   that is for fred's own clients. A connection that is lost later is replaced
///   as the [`ReauthPolicy`](redis_authx::ReauthPolicy) says, for ever.
/// * It sends no other commands, in RESP3 neither.
#[derive(Clone)]
pub struct AuthSubscriber(Arc<Inner>);

struct Inner {
    dial: Dial,
    renewal: Renewal,
    messages: Arc<Messages>,
    connected: OnceCell<Arc<ConnectedSubscriber>>,
}

impl AuthSubscriber {
    /// Connects and logs in. Does nothing when it is connected already.
    ///
    /// Waits for the first token at most as long as fred's
    /// `internal_command_timeout`, 10 s by default, and for the connection as
    /// long as the policy's
    /// [`replace_timeout`](redis_authx::ReauthPolicyBuilder::replace_timeout).
    ///
    /// # Errors
    /// fred's own; [`Auth`](ErrorKind::Auth) when there is no token, or the server
    /// refuses it: the token manager has then been asked for another one.
    /// It may be called again.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn init(&self) -> Result<(), Error> {
        let inner = &self.0;
        let open = || {
            let messages = Arc::clone(&inner.messages);
            ConnectedSubscriber::open(inner.dial.clone(), &inner.renewal, messages)
        };
        inner.connected.get_or_try_init(open).await?;
        Ok(())
    }

    /// Ends it, for all handles: closes the connection and all receivers, and
    /// waits until that has been done.
    ///
    /// # Cancel safety
    /// Safe: it ends all the same.
    pub async fn quit(&self) {
        let mut messages = self.message_rx();
        match self.0.connected.get() {
            Some(connected) => connected.subscriber().close(),
            None => self.0.messages.end(),
        }
        while !matches!(messages.recv().await, Err(RecvError::Closed)) {}
    }

    /// The messages of all its channels, patterns and sharded channels, from now
    /// on. Each receiver gets all of them. Markers of handovers are left out, and
    /// so are changes of keys, which are for
    /// [`keyspace_event_rx`](Self::keyspace_event_rx).
    ///
    /// Need not be called again, whatever becomes of the connection.
    #[must_use]
    pub fn message_rx(&self) -> Receiver<Message> {
        self.0.messages.messages()
    }

    /// The changes of keys, from now on: what comes on channels like
    /// `__keyspace@0__:key` and `__keyevent@0__:set`, which are subscribed to like
    /// others.
    #[must_use]
    pub fn keyspace_event_rx(&self) -> Receiver<KeyspaceEvent> {
        self.0.messages.events()
    }

    /// Subscribes to one channel or several, on this connection and on those
    /// that take its place. Waits for a handover or an `AUTH` that is under way;
    /// and for a lost connection to be back, as long as fred's
    /// `internal_command_timeout`.
    ///
    /// # Errors
    /// fred's own: what the server says, where it refuses; that there is no
    /// connection. There is no subscription then to any of the channels, or
    /// until the connection is replaced to those that were not refused.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether there is a subscription, on this
    /// connection or on later ones only; subscribing again settles it.
    pub async fn subscribe(&self, channels: impl Into<MultipleStrings>) -> Result<(), Error> {
        self.add(Kind::Channel, channels.into()).await
    }

    /// Unsubscribes from one channel or several; from all when given none, as
    /// `()`. Messages that have come already are delivered.
    ///
    /// # Errors
    /// fred's own. The subscriptions stay then.
    ///
    /// # Cancel safety
    /// Dropping it leaves open whether there still are messages until the
    /// connection is replaced; subscribing and unsubscribing again settles it.
    pub async fn unsubscribe(&self, channels: impl Into<MultipleStrings>) -> Result<(), Error> {
        self.remove(Kind::Channel, channels.into()).await
    }

    /// [`subscribe`](Self::subscribe) with patterns, like `orders.*`.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    ///
    /// # Cancel safety
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe(&self, patterns: impl Into<MultipleStrings>) -> Result<(), Error> {
        self.add(Kind::Pattern, patterns.into()).await
    }

    /// [`unsubscribe`](Self::unsubscribe) with patterns.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe).
    ///
    /// # Cancel safety
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn punsubscribe(&self, patterns: impl Into<MultipleStrings>) -> Result<(), Error> {
        self.remove(Kind::Pattern, patterns.into()).await
    }

    /// [`subscribe`](Self::subscribe) with sharded channels, of Redis 7 and
    /// later: those of the server that the configuration names.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    ///
    /// # Cancel safety
    /// As [`subscribe`](Self::subscribe).
    pub async fn ssubscribe(&self, channels: impl Into<MultipleStrings>) -> Result<(), Error> {
        self.add(Kind::Shard, channels.into()).await
    }

    /// [`unsubscribe`](Self::unsubscribe) with sharded channels.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe).
    ///
    /// # Cancel safety
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn sunsubscribe(&self, channels: impl Into<MultipleStrings>) -> Result<(), Error> {
        self.remove(Kind::Shard, channels.into()).await
    }

    /// [`unsubscribe`](Self::unsubscribe)s from everything.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe), of the first kind that fails.
    ///
    /// # Cancel safety
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn unsubscribe_all(&self) -> Result<(), Error> {
        for kind in Kind::ALL {
            self.connected()?.unsubscribe(kind, &[]).await?;
        }
        Ok(())
    }

    /// The channels that it is subscribed to, or will be once it is connected
    /// again.
    #[must_use]
    pub fn tracked_channels(&self) -> BTreeSet<Str> {
        self.tracked(Kind::Channel)
    }

    /// The patterns that it is subscribed to.
    #[must_use]
    pub fn tracked_patterns(&self) -> BTreeSet<Str> {
        self.tracked(Kind::Pattern)
    }

    /// The sharded channels that it is subscribed to.
    #[must_use]
    pub fn tracked_shard_channels(&self) -> BTreeSet<Str> {
        self.tracked(Kind::Shard)
    }

    /// How the connection is doing: the token's generation, the latest failure,
    /// the time until the server would end the session. `None` before
    /// [`init`](Self::init) and after [`quit`](Self::quit).
    #[must_use]
    pub fn status(&self) -> Option<ConnectionStatus> {
        self.0.connected.get()?.status()
    }

    /// How often messages may be missing so far, for all receivers: what one of
    /// them misses since it is slow is told by itself.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.0.messages.gaps()
    }

    async fn add(&self, kind: Kind, names: MultipleStrings) -> Result<(), Error> {
        let names = bytes(names);
        if names.is_empty() {
            return Ok(());
        }
        self.connected()?.subscribe(kind, &names).await
    }

    async fn remove(&self, kind: Kind, names: MultipleStrings) -> Result<(), Error> {
        self.connected()?.unsubscribe(kind, &bytes(names)).await
    }

    fn connected(&self) -> Result<&ConnectedSubscriber, Error> {
        let connected = self.0.connected.get().map(Arc::as_ref);
        connected.ok_or_else(|| Error::new(ErrorKind::Unknown, "call init() first"))
    }

    fn tracked(&self, kind: Kind) -> BTreeSet<Str> {
        let Some(connected) = self.0.connected.get() else {
            return BTreeSet::new();
        };
        let names = connected.subscriber().subscribed(kind);
        names
            .iter()
            .filter_map(|name| std::str::from_utf8(name).ok())
            .map(Str::from)
            .collect()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        match self.connected.get() {
            Some(connected) => connected.subscriber().close(),
            None => self.messages.end(),
        }
    }
}

impl fmt::Debug for AuthSubscriber {
    /// Without the names of channels, which may say what an application is about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSubscriber")
            .field("dial", &self.0.dial)
            .field("status", &self.status())
            .field("gaps", &self.gaps())
            .finish_non_exhaustive()
    }
}

fn bytes(names: MultipleStrings) -> Vec<Vec<u8>> {
    let names = names.inner().into_iter();
    names.map(|name| name.as_bytes().to_vec()).collect()
}
