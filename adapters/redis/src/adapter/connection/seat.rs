//! Where a clone of a connection keeps its handle on the link, from one command
//! to the next.

use std::sync::Arc;

use super::link::Link;
use super::redis::aio::MultiplexedConnection;
use super::shared::Shared;

/// A link, and a handle on its connection that belongs to one command at a time.
///
/// redis-rs wants one for each command, and to clone it and drop it again costs
/// six atomic operations.
pub(super) struct Handle {
    pub(super) link: Arc<Link>,
    pub(super) connection: MultiplexedConnection,
    uses: u8,
}

impl Handle {
    /// True for every 16th command, so that a busy connection, on which there is
    /// always a command in flight, checks the clock without a cost to notice.
    pub(super) const fn is_to_check_clock(&mut self) -> bool {
        self.uses = self.uses.wrapping_add(1);
        self.uses.is_multiple_of(16)
    }
}

/// That of one clone of the connection. Another clone has another. That of one
/// which nobody uses does not keep a socket open that was replaced: see
/// [`leave`](super::leave).
#[derive(Default)]
pub(super) struct Seat(Option<Box<Handle>>);

impl Seat {
    /// A connection to send a command on that has no effect on it; `None` where
    /// the link in place calls for more care.
    pub(super) fn take(&mut self, shared: &Shared) -> Option<&mut Handle> {
        if !self.0.as_ref().is_some_and(|kept| kept.link.is_clear()) {
            self.fill(shared.slot.link());
        }
        self.0.as_deref_mut()
    }

    #[cold]
    fn fill(&mut self, link: Arc<Link>) {
        self.0 = link.is_clear().then(|| {
            Box::new(Handle {
                connection: link.connection(),
                link,
                uses: 0,
            })
        });
    }
}

impl Clone for Seat {
    fn clone(&self) -> Self {
        Self::default()
    }
}
