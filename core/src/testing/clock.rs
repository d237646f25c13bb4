use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::BoxFuture;

use super::executor::Executor;
use super::run::Run;
use super::sleepers::Sleepers;
use crate::{Clock, ConfigError, Sleep, Spawner, TokenRequest};

/// A clock that advances only when a test says so, and a spawner of tasks that
/// run only then.
///
/// Clones are the same clock. Its wall-clock time starts at
/// 2025-10-09T08:53:20Z, whatever the machine's clock says.
#[derive(Clone)]
pub struct ManualClock(pub(super) Arc<Inner>);

pub(super) struct Inner {
    sleepers: Mutex<Sleepers>,
    pub(super) executor: Executor,
}

impl ManualClock {
    /// Creates an independent clock.
    #[must_use]
    #[allow(clippy::disallowed_methods)] // an Instant can't be made otherwise
    pub fn new() -> Self {
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_760_000_000);
        Self(Arc::new(Inner {
            sleepers: Mutex::new(Sleepers::new(Instant::now(), wall)),
            executor: Executor::default(),
        }))
    }

    /// Runs `task` until it waits, and returns the handle that advances time.
    pub fn run(&self, task: impl Future<Output = ()> + Send + 'static) -> Run {
        self.0.executor.spawn(Box::pin(task));
        let mut run = Run::new(self.clone());
        run.settle();
        run
    }

    /// Suspends the machine for `by`: the wall clock advances, the monotonic one
    /// stands still, and no task runs.
    pub fn suspend(&self, by: Duration) {
        self.lock().step_wall(by, false);
    }

    /// Sets the wall clock forward.
    pub fn step_forward(&self, by: Duration) {
        self.lock().step_wall(by, false);
    }

    /// Sets the wall clock back.
    ///
    /// # Panics
    /// When the result is before the earliest time that the platform supports.
    pub fn step_back(&self, by: Duration) {
        self.lock().step_wall(by, true);
    }

    /// A request to be answered within ten seconds of this clock: for calling a
    /// provider directly.
    #[must_use]
    pub fn request(&self) -> TokenRequest<'_> {
        TokenRequest::new(self, Duration::from_secs(10))
    }

    /// The number of timers that are set: 0 when nothing waits for time.
    #[must_use]
    pub fn timers(&self) -> usize {
        self.lock().len()
    }

    /// The earliest deadline of these timers.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.lock().next_deadline()
    }

    pub(super) fn advance_to(&self, target: Instant) {
        // Woken outside the lock: a waker may read the clock.
        let due = self.lock().advance_to(target);
        due.into_iter().for_each(std::task::Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, Sleepers> {
        self.0
            .sleepers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManualClock")
            .field("wall", &self.wall())
            .field("timers", &self.timers())
            .finish_non_exhaustive()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Instant {
        self.lock().now
    }

    fn wall(&self) -> SystemTime {
        self.lock().wall
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        let id = self.lock().new_id();
        let mut timer = Timer {
            clock: self.clone(),
            deadline,
            id,
        };
        Sleep::new(poll_fn(move |cx| timer.poll(cx.waker())))
    }
}

impl Spawner for ManualClock {
    /// Never fails. The task runs when a [`Run`] of this clock does.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        self.0.executor.spawn(task);
        Ok(())
    }
}

struct Timer {
    clock: ManualClock,
    deadline: Instant,
    id: u64,
}

impl Timer {
    fn poll(&mut self, waker: &std::task::Waker) -> Poll<()> {
        let mut sleepers = self.clock.lock();
        if sleepers.now >= self.deadline {
            return Poll::Ready(());
        }
        sleepers.register(self.deadline, self.id, waker);
        Poll::Pending
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        let waker = self.clock.lock().forget(self.deadline, self.id);
        drop(waker);
    }
}
