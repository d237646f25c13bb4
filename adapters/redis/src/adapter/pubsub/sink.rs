use std::fmt;
use std::sync::Weak;

use super::redis::{RedisResult, ToRedisArgs};
use redis_authx_session::handover::Kind;

use super::shared::Shared;
use super::shared::closed;

/// Subscribes and unsubscribes an [`AuthPubSub`](super::AuthPubSub) that was
/// [split](super::AuthPubSub::split), from wherever its clones are.
///
/// Its methods are those of [`AuthPubSub`](super::AuthPubSub). Once the stream
/// has been dropped, they answer with an error.
#[derive(Clone)]
pub struct AuthPubSubSink(pub(super) Weak<Shared>);

impl AuthPubSubSink {
    /// As [`AuthPubSub::subscribe`](super::AuthPubSub::subscribe).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn subscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.add(Kind::Channel, channels.to_redis_args()).await
    }

    /// As [`AuthPubSub::unsubscribe`](super::AuthPubSub::unsubscribe).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn unsubscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.remove(Kind::Channel, channels.to_redis_args()).await
    }

    /// As [`AuthPubSub::psubscribe`](super::AuthPubSub::psubscribe).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn psubscribe(&self, patterns: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.add(Kind::Pattern, patterns.to_redis_args()).await
    }

    /// As [`AuthPubSub::punsubscribe`](super::AuthPubSub::punsubscribe).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn punsubscribe(&self, patterns: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.remove(Kind::Pattern, patterns.to_redis_args()).await
    }

    /// As [`AuthPubSub::ssubscribe`](super::AuthPubSub::ssubscribe).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn ssubscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.add(Kind::Shard, channels.to_redis_args()).await
    }

    /// As [`AuthPubSub::sunsubscribe`](super::AuthPubSub::sunsubscribe).
    ///
    /// # Errors
    /// As there.
    ///
    /// # Cancel safety
    /// As there.
    pub async fn sunsubscribe(&self, channels: impl ToRedisArgs + Send) -> RedisResult<()> {
        self.remove(Kind::Shard, channels.to_redis_args()).await
    }

    async fn add(&self, kind: Kind, names: Vec<Vec<u8>>) -> RedisResult<()> {
        let shared = self.0.upgrade().ok_or_else(closed)?;
        shared.subscribe(kind, &names).await
    }

    async fn remove(&self, kind: Kind, names: Vec<Vec<u8>>) -> RedisResult<()> {
        let shared = self.0.upgrade().ok_or_else(closed)?;
        shared.unsubscribe(kind, &names).await
    }
}

impl fmt::Debug for AuthPubSubSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthPubSubSink").finish_non_exhaustive()
    }
}
