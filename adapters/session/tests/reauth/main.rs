//! Live connections are kept logged in, under a manual clock.

#[path = "../../../../core/tests/support/mod.rs"]
mod support;

mod fleet;

mod clocks;
mod deadlines;
mod defaults;
mod early_timers;
mod ending;
mod failures;
mod frequent;
mod lifecycle;
mod lost;
mod names;
mod outages;
mod refused;
mod replacements;
mod rotations;
mod session_rules;
