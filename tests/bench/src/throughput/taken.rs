//! How a connection took its tokens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redis_authx::{Event, Observer};

/// What a manager's events tell of it.
#[derive(Default)]
pub(super) struct Taken(Arc<Counts>);

#[derive(Default)]
struct Counts {
    reauthenticated: AtomicU64,
    replaced: AtomicU64,
}

impl Taken {
    pub(super) fn observer(&self) -> impl Observer + use<> {
        let counts = Arc::clone(&self.0);
        move |event: &Event| {
            let count = match event {
                Event::Reauthenticated { .. } => &counts.reauthenticated,
                Event::Replaced { .. } => &counts.replaced,
                _ => return,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// By `AUTH`.
    pub(super) fn reauthenticated(&self) -> u64 {
        self.0.reauthenticated.load(Ordering::Relaxed)
    }

    /// By another connection in its place.
    pub(super) fn replaced(&self) -> u64 {
        self.0.replaced.load(Ordering::Relaxed)
    }
}
