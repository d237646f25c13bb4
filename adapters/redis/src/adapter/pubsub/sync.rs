//! The same for threads without a runtime.

use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use super::redis::{Msg, RedisResult, ToRedisArgs};
use futures_channel::oneshot;
use futures_util::FutureExt;
use redis_authx::ConnectionStatus;

use super::super::client::AuthClient;
use super::super::error;
use super::AuthPubSub;
use super::shared::closed;
use crate::block_on::block_on;

/// [`AuthPubSub`] with methods that block: in the place of the `PubSub` of
/// redis-rs's sync connections.
///
/// Made by [`AuthClient::sync_pubsub`]. Messages are read, and its connection
/// is renewed, while the application does something else.
///
/// Methods that subscribe or unsubscribe run a task on the client's runtime. An
/// error of kind [`InvalidClientConfig`](redis::ErrorKind) says that it can't run
/// one: `Tokio` can't on a thread outside its runtime (those of `spawn_blocking`
/// are within it).
pub struct AuthSyncPubSub {
    client: AuthClient,
    messages: AuthPubSub,
    read_timeout: Duration,
}

impl AuthSyncPubSub {
    /// As [`AuthPubSub::subscribe`].
    ///
    /// # Errors
    /// As there.
    pub fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        let channels = channels.to_redis_args();
        let sink = self.messages.sink();
        on_the_runtime(&self.client, async move { sink.subscribe(channels).await })
    }

    /// As [`AuthPubSub::unsubscribe`].
    ///
    /// # Errors
    /// As there.
    pub fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        let channels = channels.to_redis_args();
        let sink = self.messages.sink();
        on_the_runtime(
            &self.client,
            async move { sink.unsubscribe(channels).await },
        )
    }

    /// As [`AuthPubSub::psubscribe`].
    ///
    /// # Errors
    /// As there.
    pub fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()> {
        let patterns = patterns.to_redis_args();
        let sink = self.messages.sink();
        on_the_runtime(&self.client, async move { sink.psubscribe(patterns).await })
    }

    /// As [`AuthPubSub::punsubscribe`].
    ///
    /// # Errors
    /// As there.
    pub fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()> {
        let patterns = patterns.to_redis_args();
        let sink = self.messages.sink();
        on_the_runtime(
            &self.client,
            async move { sink.punsubscribe(patterns).await },
        )
    }

    /// As [`AuthPubSub::ssubscribe`].
    ///
    /// # Errors
    /// As there.
    pub fn ssubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        let channels = channels.to_redis_args();
        let sink = self.messages.sink();
        on_the_runtime(&self.client, async move { sink.ssubscribe(channels).await })
    }

    /// As [`AuthPubSub::sunsubscribe`].
    ///
    /// # Errors
    /// As there.
    pub fn sunsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        let channels = channels.to_redis_args();
        let sink = self.messages.sink();
        on_the_runtime(
            &self.client,
            async move { sink.sunsubscribe(channels).await },
        )
    }

    /// Waits for the next message, which a lost connection does not end.
    ///
    /// # Errors
    /// One that is a [timeout](super::redis::RedisError::is_timeout) when none
    /// has come within the limit that was [set](Self::set_read_timeout); a
    /// dropped connection when there will be none any more, as where
    /// [`AuthPubSub::next`] returns `None`.
    pub fn get_message(&mut self) -> RedisResult<Msg> {
        match block_on(self.read_timeout, self.messages.next()) {
            Some(message) => message.ok_or_else(closed),
            None => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
        }
    }

    /// How long [`get_message`](Self::get_message) waits. `None`, the default:
    /// until there is one.
    ///
    /// # Errors
    /// A limit of zero, as with redis-rs.
    pub fn set_read_timeout(&mut self, limit: Option<Duration>) -> RedisResult<()> {
        if limit == Some(Duration::ZERO) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a limit of zero").into());
        }
        self.read_timeout = limit.unwrap_or(Duration::MAX);
        Ok(())
    }

    /// As [`AuthPubSub::status`].
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.messages.status()
    }

    /// As [`AuthPubSub::gaps`].
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.messages.gaps()
    }
}

/// Runs what has its own limits where its timers and sockets are.
fn on_the_runtime<T: Send + 'static>(
    client: &AuthClient,
    work: impl Future<Output = RedisResult<T>> + Send + 'static,
) -> RedisResult<T> {
    let (done, result) = oneshot::channel();
    let work = async move {
        // Whoever waits for it blocks until it has come.
        let _ = done.send(work.await);
    };
    let runtime = client.0.reauth.runtime();
    runtime.spawn(work.boxed()).map_err(error::not_spawned)?;
    match block_on(Duration::MAX, result) {
        Some(Ok(result)) => result,
        // The runtime has ended.
        _ => Err(closed()),
    }
}

impl fmt::Debug for AuthSyncPubSub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.messages.fmt(f)
    }
}

impl AuthClient {
    /// Opens a subscriber for a thread that may block. Features `pubsub` and
    /// `sync`. It lives on the client's
    /// [runtime](super::super::AuthClientBuilder::runtime): the plain threads of
    /// `redis-authx-threads` or any other with the feature `smol`; or tokio.
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed), and when the runtime can't run a
    /// task: see [`AuthSyncPubSub`].
    pub fn sync_pubsub(&self) -> RedisResult<AuthSyncPubSub> {
        let client = self.clone();
        let messages = on_the_runtime(self, async move { client.pubsub().await })?;
        Ok(AuthSyncPubSub {
            client: self.clone(),
            messages,
            read_timeout: Duration::MAX,
        })
    }
}
