use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use redis_authx::{Clock, ConfigError, Sleep, Spawner};
use redis_authx_tokio::Tokio;

/// tokio on a machine whose wall clock is wrong. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct WrongClock(Arc<AtomicI64>);

impl WrongClock {
    /// Sets it this many milliseconds ahead of the true time, or behind it.
    #[must_use]
    pub fn off_by(millis: i64) -> Self {
        let clock = Self::default();
        clock.set(millis);
        clock
    }

    /// Sets it anew.
    pub fn set(&self, millis: i64) {
        self.0.store(millis, Ordering::SeqCst);
    }
}

impl Clock for WrongClock {
    fn now(&self) -> Instant {
        Tokio.now()
    }

    fn wall(&self) -> SystemTime {
        let off = self.0.load(Ordering::SeqCst);
        let by = Duration::from_millis(off.unsigned_abs());
        if off < 0 {
            Tokio.wall() - by
        } else {
            Tokio.wall() + by
        }
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Tokio.sleep_until(deadline)
    }
}

impl Spawner for WrongClock {
    fn spawn(&self, task: futures::future::BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        Tokio.spawn(task)
    }
}
