//! Compiled once for each major version of redis-rs: `redis` is that version.

use super::redis;

mod builder;
mod client;
#[cfg(feature = "cluster")]
mod cluster;
mod connection;
mod effect;
mod error;
mod hook;
mod outcome;
mod target;

pub use builder::AuthClientBuilder;
pub use client::AuthClient;
#[cfg(feature = "cluster")]
pub use cluster::{AuthClusterConnection, NodeStatus};
pub use connection::AuthConnection;
pub use hook::{RedisCredentials, RedisProvider};
