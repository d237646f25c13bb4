use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::clock::ManualClock;
use crate::Clock;

/// More polls than this while time stands still indicate a loop.
const MOST_POLLS: usize = 1_000_000;

/// Advances a [`ManualClock`], and runs its tasks when they are due.
///
/// Dropping the last `Run` of a clock drops its tasks.
#[derive(Debug)]
pub struct Run {
    clock: ManualClock,
}

impl Run {
    pub(super) fn new(clock: ManualClock) -> Self {
        clock.0.executor.enter();
        Self { clock }
    }

    /// Advances time by `by`, stopping at every deadline to run what is due.
    ///
    /// # Panics
    /// When a task loops without waiting.
    pub fn advance(&mut self, by: Duration) {
        let target = self.clock.now() + by;
        self.settle();
        while let Some(deadline) = self.clock.next_deadline()
            && deadline <= target
        {
            self.clock.advance_to(deadline);
            self.settle();
        }
        self.clock.advance_to(target);
        self.settle();
    }

    /// Advances time to the next deadline and runs what is due; returns by how
    /// much, or `None` when nothing waits for time.
    ///
    /// # Panics
    /// As [`advance`](Self::advance).
    pub fn advance_to_next(&mut self) -> Option<Duration> {
        self.settle();
        let deadline = self.clock.next_deadline()?;
        let by = deadline.saturating_duration_since(self.clock.now());
        self.clock.advance_to(deadline);
        self.settle();
        Some(by)
    }

    /// Runs every task that can make progress while time stands still.
    ///
    /// # Panics
    /// As [`advance`](Self::advance).
    pub fn settle(&mut self) {
        for _ in 0..MOST_POLLS {
            if !self.clock.0.executor.poll_one() {
                return;
            }
        }
        panic!("the tasks did not settle: one of them loops without waiting for time");
    }

    /// Adds a task and runs it until it waits.
    ///
    /// # Panics
    /// As [`advance`](Self::advance).
    pub fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.clock.0.executor.spawn(Box::pin(task));
        self.settle();
    }

    /// Runs `future` to completion, advancing time to the next deadline whenever
    /// every task waits.
    ///
    /// # Panics
    /// When the future waits and no timer is set, and as
    /// [`advance`](Self::advance).
    pub fn block_on<T: Send + 'static>(
        &mut self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> T {
        let slot = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&slot);
        self.spawn(async move {
            let value = future.await;
            if let Ok(mut slot) = filled.lock() {
                *slot = Some(value);
            }
        });
        loop {
            if let Some(value) = slot.lock().ok().and_then(|mut slot| slot.take()) {
                return value;
            }
            assert!(
                self.advance_to_next().is_some(),
                "the future waits for something that no timer will bring"
            );
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.clock.0.executor.leave();
    }
}
