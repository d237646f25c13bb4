//! What every way to sign in owes, whatever it is: one contract, mounted for
//! each, against the emulator. What only one of them does is beside its mount,
//! a file a flow.

#![allow(clippy::unwrap_used)] // the cases are called by tests, not marked as such

mod client_secret;
mod contract;
mod support;
