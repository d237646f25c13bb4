//! Compiled once for each major version of redis-rs: `redis` is that version.

use super::redis;

mod builder;
mod client;
mod connection;
mod effect;
mod error;
mod hook;
mod outcome;
mod sync;
mod target;

pub use builder::AuthClientBuilder;
pub use client::AuthClient;
pub use connection::AuthConnection;
pub use hook::{RedisCredentials, RedisProvider};
pub use sync::AuthSyncConnection;
