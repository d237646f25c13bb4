//! What stands for each promise. For reading only.

/// What each kind of client promises, and the tests that show it.
#[doc = include_str!("manual/guarantees.md")]
pub mod guarantees {}
