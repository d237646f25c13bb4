//! Clocks that behave in their own way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;
use redis_authx::testing::ManualClock;
use redis_authx::{Clock, ConfigError, Sleep, Spawner};

/// Fires each timer half-way to its deadline, and counts those.
#[derive(Clone, Debug)]
pub(crate) struct Impatient {
    pub(crate) time: ManualClock,
    pub(crate) early: Arc<AtomicUsize>,
}

impl Clock for Impatient {
    fn now(&self) -> Instant {
        self.time.now()
    }

    fn wall(&self) -> SystemTime {
        self.time.wall()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        let left = deadline.saturating_duration_since(self.now());
        if left < Duration::from_millis(1) {
            return self.time.sleep_until(deadline);
        }
        let early = Arc::clone(&self.early);
        let sleep = self.time.sleep_until(self.now() + left / 2);
        Sleep::new(async move {
            sleep.await;
            early.fetch_add(1, Ordering::SeqCst);
        })
    }
}

impl Spawner for Impatient {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        self.time.spawn(task)
    }
}

/// A clock that can't run tasks.
#[derive(Debug)]
pub(crate) struct NoTasks(pub(crate) ManualClock);

impl NoTasks {
    pub(crate) fn error() -> ConfigError {
        ConfigError::invalid("runtime", "one without tasks", "one with tasks")
    }
}

impl Clock for NoTasks {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        self.0.wall()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        self.0.sleep_until(deadline)
    }
}

impl Spawner for NoTasks {
    fn spawn(&self, _: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        Err(Self::error())
    }
}
