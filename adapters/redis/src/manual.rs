//! The manual: one page a kind of connection, and what stands for each promise.
//! For reading only.

/// Compared with redis-rs's own `entra-id`, case by case.
#[doc = include_str!("manual/built_in.md")]
pub mod built_in {}

/// Connections for programs without an async runtime.
#[doc = include_str!("manual/sync.md")]
pub mod sync {}

/// r2d2, bb8 and deadpool.
#[cfg(all(feature = "bb8", feature = "deadpool", feature = "r2d2"))]
#[doc = include_str!("manual/pools.md")]
pub mod pools {}
