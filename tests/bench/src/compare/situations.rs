//! Everything that both sides are put through: a file for each, or for a few
//! that are much alike.
//!
//! A situation measures one side once, on a thread of its own
//! ([`Situation::measure`]); rounds, their order, time limits and panics are
//! [`go_through`](super::rounds::go_through)'s. It starts an emulator with
//! [`Bench::emulator`](super::bench::Bench::emulator) and does the client's part
//! in [`Bench::run`](super::bench::Bench::run), after which nothing of it is
//! left. Both sides get tokens from the same place and renew them by the same
//! [`Plan`](super::plan::Plan). Its rows are statics; one or two of them are
//! [`in_short`](super::row::Row::in_short).

mod around_rotation;
mod cold_start;
mod faulty_auth;
mod footprint;
mod heap;
mod heap_subscriber;
mod idle;
mod lifetime;
mod outage;
mod pubsub;
mod raw_multi;
mod stuck;
mod thousand;
mod throughput;

use super::situation::Situation;

/// Those of speed and size, which are measured one at a time, in the order of
/// the tables.
pub(crate) const TIMED: &[&[Situation]] = &[
    throughput::SITUATIONS,
    around_rotation::SITUATIONS,
    thousand::SITUATIONS,
    cold_start::SITUATIONS,
    heap::SITUATIONS,
    heap_subscriber::SITUATIONS,
];

/// Those of what becomes of a few commands a second, which wait most of the time:
/// several go on at once, after the others.
pub(crate) const WAITING: &[&[Situation]] = &[
    lifetime::SITUATIONS,
    outage::SITUATIONS,
    stuck::SITUATIONS,
    faulty_auth::SITUATIONS,
    raw_multi::SITUATIONS,
    pubsub::SITUATIONS,
    // Its simulated time makes tokio's clock slower.
    idle::SITUATIONS,
    footprint::SITUATIONS,
];
