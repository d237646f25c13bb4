//! Compiled once for each major version of redis-rs: `redis` is that version.

use super::redis;

mod auth;
mod builder;
mod client;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod effect;
mod error;
mod hook;
mod instead;
mod log_in;
mod outcome;
#[cfg(any(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
mod pool;
#[cfg(feature = "pubsub")]
mod pubsub;
#[cfg(feature = "sentinel")]
mod sentinel;
#[cfg(feature = "sync")]
mod sync;
mod target;

pub use builder::AuthClientBuilder;
pub use client::AuthClient;
#[cfg(all(feature = "cluster", feature = "sync"))]
pub use cluster::AuthSyncClusterConnection;
#[cfg(feature = "cluster")]
pub use cluster::{AuthClusterConnection, NodeStatus};
pub use connection::AuthConnection;
pub use hook::{RedisCredentials, RedisProvider};
#[cfg(any(feature = "bb8", feature = "deadpool"))]
pub use pool::PoolManager;
#[cfg(all(feature = "pubsub", feature = "sync"))]
pub use pubsub::AuthSyncPubSub;
#[cfg(feature = "pubsub")]
pub use pubsub::{AuthPubSub, AuthPubSubSink, AuthPubSubStream};
#[cfg(feature = "sentinel")]
pub use sentinel::{AuthSentinelClient, SentinelLogin};
#[cfg(feature = "sync")]
pub use sync::AuthSyncConnection;
