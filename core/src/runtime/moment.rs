use std::time::{Duration, Instant, SystemTime};

use crate::Clock;
use crate::policy::FAR;

/// A point in time on both clocks of a [`Clock`].
///
/// As a deadline it has passed as soon as either clock says so: the wall clock
/// advances while the machine is suspended, and the monotonic clock can't be
/// set. A suspend or a clock that is set forward brings a deadline nearer; no
/// clock moves it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    /// Combines two readings that were taken together.
    #[must_use]
    pub const fn new(monotonic: Instant, wall: SystemTime) -> Self {
        Self { monotonic, wall }
    }

    /// Reads both clocks.
    #[must_use]
    pub fn now(clock: &(impl Clock + ?Sized)) -> Self {
        Self::new(clock.now(), clock.wall())
    }

    /// The deadline `wait` later, at most ten years.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        let wait = wait.min(FAR);
        let wall = self.wall.checked_add(wait).unwrap_or(self.wall);
        Self::new(self.monotonic + wait, wall)
    }

    /// The deadline at the wall-clock time `at`, as seen now; on the monotonic
    /// clock at most ten years away.
    #[must_use]
    pub fn until(self, at: SystemTime) -> Self {
        let left = at.duration_since(self.wall).unwrap_or_default();
        Self::new(self.monotonic + left.min(FAR), at)
    }

    /// The time from `now` to this deadline, by the clock on which less is
    /// left; zero once it has passed.
    #[must_use]
    pub fn time_left(self, now: Self) -> Duration {
        let by_wall = self.wall.duration_since(now.wall).unwrap_or_default();
        self.monotonic
            .saturating_duration_since(now.monotonic)
            .min(by_wall)
    }

    /// The reading of the monotonic clock.
    #[must_use]
    pub const fn monotonic(self) -> Instant {
        self.monotonic
    }

    /// The reading of the wall clock.
    #[must_use]
    pub const fn wall(self) -> SystemTime {
        self.wall
    }
}
