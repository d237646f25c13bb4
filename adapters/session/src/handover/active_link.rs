use std::fmt;
use std::future::Future;
use std::sync::Arc;

use arc_swap::ArcSwap;
use event_listener::Event;

/// The [`Link`](super::Link) of a subscriber's active connection, which a
/// handover replaces.
pub struct ActiveLink<L> {
    link: ArcSwap<L>,
    changed: Event,
}

impl<L> ActiveLink<L> {
    pub(super) fn new(link: Arc<L>) -> Self {
        Self {
            link: ArcSwap::new(link),
            changed: Event::new(),
        }
    }

    /// The link of the connection that is active now. Never blocks.
    #[must_use]
    pub fn current(&self) -> Arc<L> {
        self.link.load_full()
    }

    pub(super) fn set(&self, link: Arc<L>) {
        self.link.store(link);
        self.changed.notify(usize::MAX);
    }

    /// Waits for the next handover to another link, counted from this call.
    ///
    /// # Cancel safety
    /// Safe: a change after a drop is seen by [`current`](Self::current).
    pub fn changed(&self) -> impl Future<Output = ()> + Send + Sync + use<L> {
        self.changed.listen()
    }
}

impl<L> fmt::Debug for ActiveLink<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveLink").finish_non_exhaustive()
    }
}
