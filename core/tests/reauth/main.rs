//! Live connections are kept logged in, under a manual clock.

#[path = "../support/mod.rs"]
mod support;

mod fleet;

mod failures;
mod frequent;
mod lifecycle;
mod lost;
mod outages;
mod refused;
mod rotations;
mod session_rules;
mod settings;
