//! The feature `tracing`: a span around whatever takes time, with stable names,
//! what others log inside it, and no token.

mod connections;
#[path = "../connections/reauth/fleet.rs"]
#[allow(dead_code)] // not all of it is used here
mod fleet;
mod requests;
mod transcript;
