use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

/// The message that divides what two connections deliver, published on a channel
/// that only one handover uses.
///
/// The channel's name has 128 random bits, so that handovers never share one. The
/// name need not be secret: both connections receive a message of a third party
/// at the same position, so that it divides them as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marker {
    channel: String,
}

impl Marker {
    /// The prefix of the names of all markers' channels, for ACL rules.
    pub const PREFIX: &str = "redis-authx:handover:";

    /// The payload to publish. It has no meaning.
    pub const PAYLOAD: &str = "handover";

    /// Creates a marker with a random channel, for one handover.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "each call returns another one")]
    pub fn new() -> Self {
        // Keyed by the operating system's random numbers, 128 bits of them.
        let random = RandomState::new();
        let (high, low) = (random.hash_one(0), random.hash_one(1));
        Self {
            channel: format!("{}{high:016x}{low:016x}", Self::PREFIX),
        }
    }

    /// The name of its channel.
    #[must_use]
    pub fn channel(&self) -> &str {
        &self.channel
    }

    /// Whether this is the channel of a marker, of any handover. A pattern like
    /// `*` matches such channels; their messages are not for the application.
    #[must_use]
    pub fn is_marker(channel: &[u8]) -> bool {
        channel.starts_with(Self::PREFIX.as_bytes())
    }
}
