//! What threads share: the real thing, or under `--cfg loom` a model of it,
//! for loom to run through every order in which threads can meet there.

#[cfg(not(all(loom, test)))]
mod real {
    pub(crate) use std::sync::atomic::AtomicBool;
    pub(crate) use std::sync::{Mutex, MutexGuard};

    pub(crate) use arc_swap::ArcSwap;
    pub(crate) use futures_util::task::AtomicWaker;
}

#[cfg(not(all(loom, test)))]
pub(crate) use real::*;

#[cfg(all(loom, test))]
pub(crate) use super::models::sync::*;
