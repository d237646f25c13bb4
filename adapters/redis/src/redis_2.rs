//! The same for redis-rs 2.0: as the crate's root, with that version's types.
//!
//! Each of the two is complete by itself, and a program may use both. redis-rs
//! 2.0 is a release candidate, `2.0.0-rc.2`; until it is final, a minor version
//! of this crate may follow it to the next.

use ::redis_2 as redis;

#[path = "adapter/mod.rs"]
mod adapter;

pub use adapter::*;
