//! Log lines and spans. A program of its own: each of its threads has a subscriber.
//! Beside threads without one, `tracing` may take a span for disabled.

#![cfg(feature = "tracing")]

#[path = "../support/mod.rs"]
mod support;
#[path = "../support/transcript.rs"]
mod transcript;

mod requests;
mod tracing;
