//! The handover of subscribers.

mod orders;
mod succession;
