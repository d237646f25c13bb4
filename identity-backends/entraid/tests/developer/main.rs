//! The developers' tools, played by scripts.
#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;
mod fake;

mod arguments;
mod chain;
mod ending;
mod errors;
mod secrecy;
mod tokens;
