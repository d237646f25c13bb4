//! The token manager: its machine, its driver, its readers and its settings.

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod concurrency;
#[cfg(feature = "serde")]
mod config;
#[cfg(feature = "serde")]
mod config_refused;
#[cfg(feature = "serde")]
mod config_shown;
mod early_timers;
mod handed_on;
#[cfg(feature = "jwt")]
mod jwt;
#[cfg(feature = "jwt")]
mod jwt_username;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "metrics")]
mod metrics_described;
mod open_requests;
mod panics;
mod passwords;
mod reauth_settings;
mod rules;
mod runtimes;
mod scenarios;
mod secrets;
mod subscribers;
mod testing;
mod vectors;
mod waiting;
mod words;
