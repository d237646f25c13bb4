//! The manual: one page a kind of connection, and what stands for each promise.
//! For reading only.
//!
//! | how the program holds its connections | page |
//! |---|---|
//! | one or a few that its tasks share | [`shared`] |
//! | to a Redis Cluster | `cluster`, feature `cluster` |
//! | to what Redis Sentinel watches | `sentinel`, feature `sentinel` |
//! | without an async runtime | `sync`, feature `sync` |
//! | in a pool: r2d2, bb8, deadpool | `pools`, the features of these names |
//! | to receive messages | `pubsub`, feature `pubsub` |
//! | with commands that block | [`blocking`] |
//!
//! What each of them promises, and the tests of it: [`guarantees`]; on which servers:
//! [`server_versions`]. How redis-rs's own `entra-id` does: [`built_in`].

/// Connections that the tasks of a program share.
#[doc = include_str!("manual/shared.md")]
pub mod shared {}

/// Connections to a Redis Cluster.
#[cfg(feature = "cluster")]
#[doc = include_str!("manual/cluster.md")]
pub mod cluster {}

/// Connections to what Redis Sentinel watches.
#[cfg(feature = "sentinel")]
#[doc = include_str!("manual/sentinel.md")]
pub mod sentinel {}

/// Connections without an async runtime.
#[cfg(feature = "sync")]
#[doc = include_str!("manual/sync.md")]
pub mod sync {}

/// Connections in pools.
#[cfg(all(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
#[doc = include_str!("manual/pools.md")]
pub mod pools {}

/// Connections that receive messages.
#[cfg(feature = "pubsub")]
#[doc = include_str!("manual/pubsub.md")]
pub mod pubsub {}

/// Connections with commands that block.
#[doc = include_str!("manual/blocking.md")]
pub mod blocking {}

/// What each kind of connection promises, and the tests that show it.
#[doc = include_str!("manual/guarantees.md")]
pub mod guarantees {}

/// Which versions of the server the tests run on, and what differs between them.
#[doc = include_str!("manual/server_versions.md")]
pub mod server_versions {}

/// Compared with redis-rs's own `entra-id`, case by case.
#[doc = include_str!("manual/built_in.md")]
pub mod built_in {}
