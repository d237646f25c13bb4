//! What every way to sign in owes, whatever it is: one contract, mounted for
//! each, against the emulator. What only one of them does is beside its mount,
//! a file a flow.

#![allow(clippy::unwrap_used)] // the cases are called by tests, not marked as such

mod authorization_code;
mod azure_identity;
mod client_assertion;
mod client_certificate;
mod client_secret;
mod contract;
mod default_chain;
#[cfg(unix)]
mod developer_tools;
mod device_code;
mod managed_identity;
mod support;
mod workload_identity;
