//! The manual: one page a kind of connection, and what stands for each promise.
//! For reading only.

/// Compared with redis-rs's own `entra-id`, case by case.
#[doc = include_str!("manual/built_in.md")]
pub mod built_in {}

/// A Redis Cluster: every node, and nodes that come and go.
#[cfg(all(feature = "redis-1", feature = "cluster"))]
#[doc = include_str!("manual/cluster.md")]
pub mod cluster {}

/// A master, or a replica, that sentinels watch.
#[cfg(all(feature = "redis-1", feature = "sentinel"))]
#[doc = include_str!("manual/sentinel.md")]
pub mod sentinel {}
