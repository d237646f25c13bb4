//! Everything that both sides are put through.

mod cold_start;
mod faulty_auth;
mod lifetime;
mod outage;
mod pubsub;
mod raw_multi;
mod stuck;

use super::situation::Situation;

/// In the order of the tables.
pub(crate) const ALL: &[&[Situation]] = &[
    cold_start::SITUATIONS,
    lifetime::SITUATIONS,
    outage::SITUATIONS,
    stuck::SITUATIONS,
    faulty_auth::SITUATIONS,
    raw_multi::SITUATIONS,
    pubsub::SITUATIONS,
];
