//! Where an application gets its messages from.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fred::types::{KeyspaceEvent, Message};
use redis_authx_session::handover::Outlet;
use tokio::sync::broadcast::{Receiver, Sender, channel};

use super::feed::Item;

/// Everybody's messages; they end for everybody.
pub(super) struct Messages {
    capacity: usize,
    /// `None` once they have ended.
    open: Mutex<Option<Senders>>,
    gaps: AtomicU64,
}

struct Senders {
    messages: Sender<Message>,
    events: Sender<KeyspaceEvent>,
}

impl Messages {
    /// A receiver that is behind holds up to so many.
    pub(super) fn new(capacity: usize) -> Self {
        // What tokio does not take for a capacity.
        let capacity = capacity.clamp(1, usize::MAX / 2);
        let senders = Senders {
            messages: channel(capacity).0,
            events: channel(capacity).0,
        };
        Self {
            capacity,
            open: Mutex::new(Some(senders)),
            gaps: AtomicU64::new(0),
        }
    }

    pub(super) fn messages(&self) -> Receiver<Message> {
        let open = self.open();
        let open = open.as_ref();
        open.map_or_else(|| channel(1).1, |open| open.messages.subscribe())
    }

    pub(super) fn events(&self) -> Receiver<KeyspaceEvent> {
        let open = self.open();
        let open = open.as_ref();
        open.map_or_else(|| channel(1).1, |open| open.events.subscribe())
    }

    pub(super) fn gap(&self) {
        self.gaps.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Acquire)
    }

    fn deliver(&self, item: Item) {
        let open = self.open();
        let Some(open) = &*open else { return };
        // Nobody may be listening, as with fred.
        match item {
            Item::Message(message) => drop(open.messages.send(message)),
            Item::Keyspace(event) => drop(open.events.send(event)),
        }
    }

    /// No more for anybody.
    pub(super) fn end(&self) {
        let senders = self.open().take();
        drop(senders);
    }

    fn open(&self) -> MutexGuard<'_, Option<Senders>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages")
            .field("capacity", &self.capacity)
            .field("gaps", &self.gaps())
            .finish_non_exhaustive()
    }
}

/// What the reader has of the application.
pub(super) struct ToApplication(pub(super) Arc<Messages>);

impl Outlet<Item> for ToApplication {
    fn deliver(&self, item: Item) {
        self.0.deliver(item);
    }

    fn gap(&self) {
        self.0.gap();
    }

    fn end(&self) {
        self.0.end();
    }
}
