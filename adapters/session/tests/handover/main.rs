//! The handover of subscribers.

#![allow(clippy::unwrap_used)] // helpers of tests are not marked as such

mod orders;
mod server;
mod subscriber;
mod succession;
