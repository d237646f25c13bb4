//! When tokens end and are renewed, the same for both sides.

use std::time::Duration;

/// The life of tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    /// How long they live on the server.
    pub(crate) lifetime: Duration,
    /// After how much of that both sides renew them; `None`: each as it does by
    /// default, told the true expiry.
    pub(crate) renewed_after: Option<Duration>,
}

impl Plan {
    /// Tokens of an hour, each side with its defaults.
    pub(crate) const HOUR: Self = Self {
        lifetime: Duration::from_secs(3600),
        renewed_after: None,
    };

    /// Both sides renew tokens `renewed_after` they came.
    pub(crate) const fn short(lifetime: Duration, renewed_after: Duration) -> Self {
        Self {
            lifetime,
            renewed_after: Some(renewed_after),
        }
    }

    /// A new token every second, and the old one good for three more.
    pub(crate) const EVERY_SECOND: Self =
        Self::short(Duration::from_secs(4), Duration::from_secs(1));
}
