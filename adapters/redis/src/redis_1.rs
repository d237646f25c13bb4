//! Everything for redis-rs 1.x.

use ::redis;

#[path = "adapter/mod.rs"]
mod adapter;

pub use adapter::*;
