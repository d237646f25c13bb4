//! The handover of subscribers.

#[path = "../support/mod.rs"]
mod support;

mod handover;
mod succession;
