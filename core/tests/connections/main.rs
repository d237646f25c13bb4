//! Live connections: re-authentication and the handover of subscribers.

#[path = "../support/mod.rs"]
mod support;

mod early_timers;
mod handover;
mod reauth;
mod succession;
