//! Everything that both sides are put through.

mod cold_start;

use super::situation::Situation;

/// In the order of the tables.
pub(crate) const ALL: &[&[Situation]] = &[cold_start::SITUATIONS];
