//! What a runtime gives the manager: a [`Clock`] and a [`Spawner`].
//!
//! Both are object-safe and small, so that an adapter for another runtime is
//! some thirty lines. `redis-authx-tokio` is the model to copy.

mod alarm;
mod moment;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Instant, SystemTime};

use futures_util::future::BoxFuture;

use crate::ConfigError;

pub use alarm::Alarm;
pub use moment::Moment;

/// A source of time. All scheduling goes through it, so a test can replace it.
///
/// `now` and `sleep_until` are one trait on purpose: two clocks that disagree
/// make a driver spin or stall.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Monotonic time; everything is scheduled by it.
    fn now(&self) -> Instant;

    /// Wall-clock time; used to turn a token's expiry into a lifetime, and to
    /// notice suspends and clock steps.
    fn wall(&self) -> SystemTime;

    /// Completes once [`now`](Self::now) has reached `deadline`; at once when
    /// it already has. Early completion is harmless (the caller reads the
    /// clock again), dropping it cancels it.
    fn sleep_until(&self, deadline: Instant) -> Sleep;
}

/// Runs futures in the background.
pub trait Spawner: fmt::Debug + Send + Sync + 'static {
    /// Starts `task`. It runs to its end, detached; only the end of the
    /// runtime cancels it.
    ///
    /// # Errors
    /// [`ConfigError`] of the field `runtime` when the task can't run here:
    /// what was found instead of a runtime that runs tasks, and what to do. The
    /// task has been dropped then. A runtime that can't tell returns `Ok`.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError>;
}

/// A [`Clock`] that is also a [`Spawner`]: what the adapters' runtimes are.
/// Implemented for every type that is both.
pub trait Runtime: Clock + Spawner {}

impl<T: Clock + Spawner + ?Sized> Runtime for T {}

const _: fn(&dyn Clock, &dyn Spawner, &dyn Runtime) = |_, _, _| ();

impl<T: Clock + ?Sized> Clock for Arc<T> {
    fn now(&self) -> Instant {
        (**self).now()
    }

    fn wall(&self) -> SystemTime {
        (**self).wall()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        (**self).sleep_until(deadline)
    }
}

impl<T: Spawner + ?Sized> Spawner for Arc<T> {
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        (**self).spawn(task)
    }
}

/// A future that completes at the deadline it was made for.
#[must_use = "a sleep does nothing unless it is awaited"]
pub struct Sleep(BoxFuture<'static, ()>);

impl Sleep {
    /// Wraps a runtime's own timer.
    pub fn new(timer: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(Box::pin(timer))
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").finish_non_exhaustive()
    }
}
