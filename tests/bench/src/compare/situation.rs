//! What both sides are put through.

use std::time::Duration;

use super::bench::Bench;
use super::measured::Measured;
use super::outcome::Outcome;
use super::plot::Plot;

/// One situation: a way to measure either side in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Situation {
    /// One word or a few with hyphens: for `--only`, and for the file of a plot.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What is done, and what is fair about it, in a sentence or two of Markdown.
    pub(crate) about: &'static str,
    pub(crate) clients: Clients,
    /// How often each side is measured.
    pub(crate) rounds: Rounds,
    /// A run that takes longer has hung.
    pub(crate) limit: Duration,
    /// Measures one side once, on a thread of its own.
    pub(crate) measure: fn(&Bench) -> Measured,
    /// Draws what was seen.
    pub(crate) plots: fn(&Outcome) -> Vec<Plot>,
}

/// Whose connections they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    /// redis-rs with `entra-id`, against `redis-authx-redis`.
    Redis,
    /// fred with its own credential refresh, against `redis-authx-fred`.
    Fred,
}

impl Clients {
    pub(crate) const ALL: [Self; 2] = [Self::Redis, Self::Fred];

    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Redis => "redis-rs: its built-in `entra-id` against redis-authx-redis",
            Self::Fred => "fred: its own credential refresh against redis-authx-fred",
        }
    }
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    BuiltIn,
    Ours,
}

impl Side {
    pub(crate) const BOTH: [Self; 2] = [Self::BuiltIn, Self::Ours];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::BuiltIn => "built-in",
            Self::Ours => "redis-authx",
        }
    }
}

/// How often each side is measured, by default.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds {
    pub(crate) full: usize,
    pub(crate) smoke: usize,
}

impl Rounds {
    pub(crate) const fn full(full: usize) -> Self {
        Self { full, smoke: 1 }
    }
}

/// For situations of which there is nothing to draw.
pub(crate) fn no_plots(_: &Outcome) -> Vec<Plot> {
    Vec::new()
}
