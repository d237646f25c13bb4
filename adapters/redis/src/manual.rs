//! The manual: one page a kind of connection, and what stands for each promise.
//! For reading only.

/// Compared with redis-rs's own `entra-id`, case by case.
#[doc = include_str!("manual/built_in.md")]
pub mod built_in {}
