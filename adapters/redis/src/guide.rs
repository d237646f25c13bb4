//! One page for each kind of connection that has more to it. For reading only.

/// A Redis Cluster: every node, and nodes that come and go.
#[cfg(all(feature = "redis-1", feature = "cluster"))]
#[doc = include_str!("guide/cluster.md")]
pub mod cluster {}

/// A master, or a replica, that sentinels watch.
#[cfg(all(feature = "redis-1", feature = "sentinel"))]
#[doc = include_str!("guide/sentinel.md")]
pub mod sentinel {}
