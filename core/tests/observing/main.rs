//! Metrics, log lines and spans.

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "metrics")]
mod metrics;
#[cfg(feature = "metrics")]
mod metrics_described;
#[cfg(feature = "tracing")]
mod spans;
#[cfg(feature = "tracing")]
mod tracing;
