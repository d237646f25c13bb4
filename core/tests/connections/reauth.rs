//! Live connections are kept logged in, under a manual clock.

mod fleet;

mod clocks;
mod deadlines;
mod defaults;
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
mod settings;
