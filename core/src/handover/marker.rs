use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// A message on a channel of its own, which divides what two connections
/// deliver.
///
/// The channel's name has 128 random bits, so that no two handovers meet. It
/// is no secret: who publishes on it disturbs nothing, since both connections
/// get that as well, and in the same place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    channel: String,
}

impl Marker {
    /// What the channels' names begin with, for ACL rules.
    pub const PREFIX: &str = "redis-authx:handover:";

    /// What is published there. Nobody reads it.
    pub const PAYLOAD: &str = "handover";

    /// A marker for one handover.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "each one is another")]
    pub fn new() -> Self {
        // Keyed by the operating system's random numbers, 128 bits of them.
        let random = RandomState::new();
        let (high, low) = (random.hash_one(0), random.hash_one(1));
        Self {
            channel: format!("{}{high:016x}{low:016x}", Self::PREFIX),
        }
    }

    /// Its channel.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Whether a channel is a marker's, of whatever handover. Patterns like
    /// `*` match them too; an application has no use for them.
    #[must_use]
    pub fn is_marker(channel: &[u8]) -> bool {
        channel.starts_with(Self::PREFIX.as_bytes())
    }
}
