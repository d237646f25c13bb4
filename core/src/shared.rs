//! What the handles, the credentials and the driver of one manager share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::credentials::{Lane, Lanes};
use crate::machine::Snapshot;
use crate::watch::Watch;
use crate::watch::sync::{AtomicBool, AtomicWaker};
use crate::{Clock, Event, Observer, ProviderError, Runtime};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) watch: Watch<Snapshot<Lanes>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runtime: Option<Arc<dyn Runtime>>,
    pub(crate) connections: AtomicUsize,
    pub(crate) counts: Counts,
    observers: Vec<Box<dyn Observer>>,
    handles: AtomicUsize,
    wanted: Wanted,
    driver: AtomicWaker,
}

/// What handles ask of the driver. Flags, not a queue: asking twice is asking.
#[derive(Debug, Default)]
struct Wanted {
    refresh: AtomicBool,
    stop: AtomicBool,
}

/// Figures for [`Status`](crate::Status).
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) refreshes: AtomicU64,
    pub(crate) failures: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Last {
    pub(crate) error: Option<ProviderError>,
    pub(crate) expires: Option<Instant>,
    pub(crate) generation: u64,
}

impl Counts {
    pub(crate) fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        runtime: Option<Arc<dyn Runtime>>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Self {
        Self {
            watch: Watch::new(Snapshot::Pending),
            clock,
            runtime,
            connections: AtomicUsize::new(0),
            counts: Counts::default(),
            observers,
            handles: AtomicUsize::new(0),
            wanted: Wanted::default(),
            driver: AtomicWaker::new(),
        }
    }

    pub(crate) fn next_lane(&self) -> Lane {
        Lane::of(self.handles.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn ask_refresh(&self) {
        self.wanted.refresh.store(true, Ordering::Release);
        self.driver.wake();
    }

    pub(crate) fn ask_stop(&self) {
        self.wanted.stop.store(true, Ordering::Release);
        self.driver.wake();
    }

    /// Has the driver look at the clocks again.
    pub(crate) fn wake_driver(&self) {
        self.driver.wake();
    }

    pub(crate) fn register_driver(&self, waker: &std::task::Waker) {
        self.driver.register(waker);
    }

    pub(crate) fn take_refresh(&self) -> bool {
        self.wanted.refresh.swap(false, Ordering::AcqRel)
    }

    pub(crate) fn stop_wanted(&self) -> bool {
        self.wanted.stop.load(Ordering::Acquire)
    }

    /// Tells the observers. One that panics is not let through: it must not
    /// end the manager.
    pub(crate) fn report(&self, event: &Event) {
        crate::trace::emit(event);
        for observer in &self.observers {
            let _ = catch_unwind(AssertUnwindSafe(|| observer.event(event)));
        }
    }
}
