//! Pub/sub that outlives its tokens, against a real redis-server.

#![allow(clippy::unwrap_used)]

mod changes;
mod exactly_once;
mod faults;
mod support;
