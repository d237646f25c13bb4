//! What the handles, the credentials and the driver of one manager share.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::machine::Snapshot;
use crate::watch::Watch;
use crate::watch::sync::{AtomicBool, AtomicWaker};
use crate::{Clock, Event, Moment, Observer, ProviderError, RequestReason, Runtime, Token};

/// How late a timer may be before the clocks are checked for it.
const LATE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) watch: Watch<Snapshot<Token>>,
    pub(crate) attempts: Attempts,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) runtime: Option<Arc<dyn Runtime>>,
    pub(crate) connections: AtomicUsize,
    pub(crate) counts: Counts,
    observers: Vec<Box<dyn Observer>>,
    requested: Requested,
    /// When the driver's timer should have fired, by the wall clock, in
    /// milliseconds since the epoch. Later, its machine has been suspended.
    timer_due: AtomicU64,
    driver: AtomicWaker,
}

/// What handles ask of the driver. Flags, not a queue: asking twice is asking
/// once.
#[derive(Debug, Default)]
struct Requested {
    refresh: AtomicBool,
    /// The generation of a token that a server refused, or 0.
    refused: AtomicU64,
    stop: AtomicBool,
    /// Readers and lost connections that need a token.
    needed: AtomicUsize,
}

/// The provider's requests, for those that wait for the end of one.
#[derive(Debug)]
pub(crate) struct Attempts {
    started: AtomicU64,
    pub(crate) ended: Watch<Ended>,
}

/// The latest request that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) number: u64,
    pub(crate) error: Option<ProviderError>,
}

impl Attempts {
    fn new() -> Self {
        Self {
            started: AtomicU64::new(0),
            ended: Watch::new(Ended {
                number: 0,
                error: None,
            }),
        }
    }

    /// The number of the latest request.
    pub(crate) fn latest(&self) -> u64 {
        self.started.load(Ordering::Acquire)
    }

    pub(crate) fn started(&self, number: u64) {
        self.started.store(number, Ordering::Release);
    }

    pub(crate) fn ended(&self, number: u64, error: Option<ProviderError>) {
        self.ended.publish(Ended { number, error });
    }

    /// There will be no other.
    pub(crate) fn stopped(&self) {
        self.ended(u64::MAX, None);
    }
}

/// Figures for [`ManagerStatus`](crate::ManagerStatus).
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) refreshes: AtomicU64,
    pub(crate) failures: AtomicU64,
    last: Mutex<Last>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Last {
    pub(crate) error: Option<ProviderError>,
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
            attempts: Attempts::new(),
            clock,
            runtime,
            connections: AtomicUsize::new(0),
            counts: Counts::default(),
            observers,
            requested: Requested::default(),
            timer_due: AtomicU64::new(u64::MAX),
            driver: AtomicWaker::new(),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        Moment::now(&*self.clock)
    }

    pub(crate) fn ask_refresh(&self) {
        self.requested.refresh.store(true, Ordering::Release);
        self.driver.wake();
    }

    pub(crate) fn ask_refresh_instead_of(&self, generation: u64) {
        self.requested.refused.store(generation, Ordering::Release);
        self.driver.wake();
    }

    pub(crate) fn ask_stop(&self) {
        self.requested.stop.store(true, Ordering::Release);
        self.driver.wake();
    }

    /// A token is needed until [`no_longer_needed`](Self::no_longer_needed).
    pub(crate) fn needed(&self) {
        if self.requested.needed.fetch_add(1, Ordering::AcqRel) == 0 {
            self.driver.wake();
        }
    }

    pub(crate) fn no_longer_needed(&self) {
        self.requested.needed.fetch_sub(1, Ordering::AcqRel);
    }

    pub(crate) fn connected(&self) {
        // The driver checks the clocks for connections.
        if self.connections.fetch_add(1, Ordering::AcqRel) == 0 {
            self.driver.wake();
        }
    }

    pub(crate) fn disconnected(&self) {
        self.connections.fetch_sub(1, Ordering::AcqRel);
    }

    /// Has the driver look at the clocks again.
    pub(crate) fn wake_driver(&self) {
        self.driver.wake();
    }

    pub(crate) fn register_driver(&self, waker: &std::task::Waker) {
        self.driver.register(waker);
    }

    /// Frees the driver's task, which lives as long as its last waker.
    pub(crate) fn driver_ended(&self) {
        drop(self.driver.take());
    }

    pub(crate) fn take_refresh(&self) -> Option<RequestReason> {
        let asked = self.requested.refresh.swap(false, Ordering::AcqRel);
        match self.requested.refused.swap(0, Ordering::AcqRel) {
            0 => asked.then_some(RequestReason::Asked),
            generation => Some(RequestReason::Refused { generation }),
        }
    }

    /// Whether a refresh was asked for that the driver has not taken.
    pub(crate) fn refresh_is_due(&self) -> bool {
        self.requested.refresh.load(Ordering::Acquire)
            || self.requested.refused.load(Ordering::Acquire) != 0
    }

    pub(crate) fn stop_wanted(&self) -> bool {
        self.requested.stop.load(Ordering::Acquire)
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.requested.needed.load(Ordering::Acquire) > 0
    }

    /// The driver has set its timer.
    pub(crate) fn expect_check(&self, deadline: Option<Instant>, now: Instant) {
        let due = deadline.map_or(u64::MAX, |at| {
            let wait = at.saturating_duration_since(now) + LATE;
            since_epoch(self.clock.wall()).saturating_add(in_millis(wait))
        });
        self.timer_due.store(due, Ordering::Relaxed);
    }

    /// Reads the wall clock, and wakes the driver when its timer is overdue by
    /// that clock: the machine has been suspended, or the clock was set.
    pub(crate) fn check_clock(&self) -> SystemTime {
        let wall = self.clock.wall();
        if since_epoch(wall) > self.timer_due.load(Ordering::Relaxed) {
            self.timer_due.store(u64::MAX, Ordering::Relaxed);
            self.driver.wake();
        }
        wall
    }

    /// Notifies the observers. A panic of one is caught: it must not end the
    /// manager.
    pub(crate) fn report(&self, event: &Event) {
        crate::trace::emit(event);
        for observer in &self.observers {
            let _ = catch_unwind(AssertUnwindSafe(|| observer.event(event)));
        }
    }
}

fn since_epoch(wall: SystemTime) -> u64 {
    in_millis(
        wall.duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default(),
    )
}

fn in_millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
