//! Where the link of a subscriber is.

use std::sync::Arc;

use arc_swap::ArcSwap;
use event_listener::{Event, EventListener};

use super::link::Link;

pub(super) struct Place {
    link: ArcSwap<Link>,
    replaced: Event,
}

impl Place {
    pub(super) fn new(link: Link) -> Self {
        Self {
            link: ArcSwap::from_pointee(link),
            replaced: Event::new(),
        }
    }

    pub(super) fn link(&self) -> Arc<Link> {
        self.link.load_full()
    }

    pub(super) fn put(&self, link: Arc<Link>) {
        self.link.store(link);
        self.replaced.notify(usize::MAX);
    }

    /// Told of every replacement from now on.
    pub(super) fn listen(&self) -> EventListener {
        self.replaced.listen()
    }
}
