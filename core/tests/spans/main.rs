//! The feature `tracing`: a span around whatever takes time, with stable names,
//! what others log inside it, and no token.

#![cfg(feature = "tracing")]

#[path = "../reauth/fleet.rs"]
#[allow(dead_code)] // not all of it is used here
mod fleet;
#[path = "../support/mod.rs"]
mod support;

mod connections;
mod requests;
mod transcript;
