//! Where a clone of a connection keeps its handle on the link, from one command
//! to the next.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use crossbeam_utils::atomic::AtomicCell;

use super::link::Link;
use super::redis::aio::MultiplexedConnection;

/// A link, and a handle on its connection that belongs to one command at a time.
///
/// redis-rs wants one for each command, and to clone it and drop it again costs
/// six atomic operations.
pub(super) struct Handle {
    pub(super) link: Arc<Link>,
    pub(super) connection: MultiplexedConnection,
    /// Its gate's, when the command that is under way was sent.
    pub(super) mark: u64,
    /// How often the link had been replaced before.
    era: u64,
}

/// What is kept between two commands. Whoever replaces the link takes it out: a
/// clone that nobody uses must not keep a socket open.
type Kept = AtomicCell<Option<Box<Handle>>>;

/// That of one clone of the connection. Another clone has another.
#[derive(Default)]
pub(super) struct Seat {
    /// While a command is under way.
    taken: Option<Box<Handle>>,
    /// Between two of them.
    kept: Option<Arc<Kept>>,
    used: bool,
}

/// Those of all clones.
#[derive(Default)]
pub(super) struct Seats {
    all: Mutex<Vec<Weak<Kept>>>,
    era: AtomicU64,
}

impl Seat {
    /// Takes what was kept, unless its link was replaced.
    pub(super) fn take(&mut self, seats: &Seats) -> Option<Box<Handle>> {
        let handle = self.kept.as_ref()?.take()?;
        (handle.era == seats.era()).then_some(handle)
    }

    /// Has it for the command that is under way.
    pub(super) fn put(&mut self, handle: Box<Handle>) -> &mut Handle {
        self.taken.insert(handle)
    }

    /// That of the command that is under way.
    pub(super) fn taken(&mut self) -> Option<&mut Handle> {
        self.taken.as_deref_mut()
    }

    /// The command has ended: keeps its handle for the next one, unless its link
    /// was replaced.
    pub(super) fn keep(&mut self, seats: &Seats) {
        let first = !std::mem::replace(&mut self.used, true);
        let Some(handle) = self.taken.take() else {
            return;
        };
        // This may be all its clone will ever send: one for each request of a
        // web server gets by without a place.
        if first {
            return;
        }
        let era = handle.era;
        let kept = self.kept.get_or_insert_with(|| seats.add());
        kept.store(Some(handle));
        // Replaced in the meantime, and looked for here before it was here.
        if era != seats.era() {
            kept.take();
        }
    }
}

impl Clone for Seat {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Seats {
    /// A handle on the link that `link` finds in place.
    pub(super) fn handle(&self, link: impl FnOnce() -> Arc<Link>) -> Box<Handle> {
        // Read first: a replacement in between makes it out of date.
        let era = self.era();
        let link = link();
        Box::new(Handle {
            connection: link.connection(),
            mark: link.gate.mark(),
            link,
            era,
        })
    }

    /// Lets go of what is kept, now that the link was replaced.
    pub(super) fn clear(&self) {
        // Before it is looked for: see `Seat::keep`.
        self.era.fetch_add(1, Ordering::SeqCst);
        for kept in self.all().iter().filter_map(Weak::upgrade) {
            kept.take();
        }
    }

    fn add(&self) -> Arc<Kept> {
        let kept = Arc::new(Kept::default());
        let mut all = self.all();
        // Before it grows, those of clones that are gone. Most connections have
        // no clone that is used.
        if all.len() == all.capacity() {
            all.retain(|kept| kept.strong_count() > 0);
            let more = all.len().max(1);
            all.reserve_exact(more);
        }
        all.push(Arc::downgrade(&kept));
        kept
    }

    /// `SeqCst`, as is adding to it: of `keep` and `clear`, which each write one
    /// of two places and then look at the other, at least one must see the other.
    fn era(&self) -> u64 {
        self.era.load(Ordering::SeqCst)
    }

    fn all(&self) -> MutexGuard<'_, Vec<Weak<Kept>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
