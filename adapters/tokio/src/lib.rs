//! Runs redis-authx on [tokio](https://tokio.rs).
//!
//! ```
//! use redis_authx::{StaticToken, Token, TokenManager};
//! use redis_authx_tokio::Tokio;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = StaticToken::new(Token::new("app", "s3cret"));
//! let manager = TokenManager::builder(identity).spawn(Tokio)?;
//!
//! let token = manager.credentials().get(std::time::Duration::from_secs(10)).await?;
//! assert_eq!(token.username(), "app");
//! # Ok(()) }
//! ```
//!
//! The runtime must have its timers enabled, as that of `#[tokio::main]` has.

use std::future::pending;
use std::time::{Instant, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use redis_authx::{Clock, ConfigError, Sleep, Spawner};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The current tokio runtime: the one that the calling thread is in.
///
/// [`TokenManager::builder(…).spawn(Tokio)`](redis_authx::TokenManagerBuilder::spawn)
/// must be called within a runtime; [`OnTokio`] names one instead.
/// Monotonic time is tokio's, so `tokio::time::pause` stops it. The wall clock
/// is the system's: use the core's `ManualClock` for tests of expiry.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs)] // a value to write down: `Tokio`
pub struct Tokio;

impl Clock for Tokio {
    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    /// # Panics
    /// When polled outside a tokio runtime, or in one whose timers are not enabled.
    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(async move {
            // tokio completes a past timer only at the next turn of its driver.
            if Self.now() < deadline {
                tokio::time::sleep_until(deadline.into()).await;
            }
        })
    }
}

impl Spawner for Tokio {
    /// # Errors
    /// When called outside a tokio runtime, or within one that has shut down.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        let current = Handle::try_current().map_err(|_| {
            ConfigError::invalid(
                "runtime",
                "`Tokio` outside a tokio runtime",
                "`Tokio` within a runtime such as that of `#[tokio::main]`, or \
                 `OnTokio::new(handle)` with the handle of a runtime",
            )
        })?;
        OnTokio(current).spawn(task)
    }
}

/// A given tokio runtime, usable from any thread.
#[derive(Clone, Debug)]
pub struct OnTokio(Handle);

impl OnTokio {
    /// Uses the runtime of `handle` for tasks and timers.
    #[must_use]
    pub const fn new(handle: Handle) -> Self {
        Self(handle)
    }

    /// Spawns a task that ends at `deadline`. A timer that is polled outside its
    /// runtime panics if the runtime shuts down at that moment.
    fn timer(&self, deadline: Instant) -> Timer {
        let timer = {
            let _runtime = self.0.enter();
            tokio::time::sleep_until(deadline.into())
        };
        Timer(self.0.spawn(timer))
    }
}

/// A task that is aborted when this is dropped.
struct Timer(JoinHandle<()>);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Clock for OnTokio {
    fn now(&self) -> Instant {
        let _runtime = self.0.enter();
        Tokio.now()
    }

    fn wall(&self) -> SystemTime {
        Tokio.wall()
    }

    /// Never completes after the runtime has shut down, unless `deadline` has
    /// passed by the first poll.
    ///
    /// # Panics
    /// When polled, if the runtime's timers are not enabled.
    fn sleep_until(&self, deadline: Instant) -> Sleep {
        let runtime = self.clone();
        Sleep::new(async move {
            if runtime.now() < deadline {
                let mut timer = runtime.timer(deadline);
                if (&mut timer.0).await.is_err() {
                    pending::<()>().await;
                }
            }
        })
    }
}

impl Spawner for OnTokio {
    /// # Errors
    /// When the runtime has shut down. A current-thread runtime that is not
    /// running accepts tasks, and runs them once its `block_on` is called.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        // A runtime that has shut down cancels new tasks at once.
        match self.0.spawn(task).now_or_never() {
            Some(Err(error)) if error.is_cancelled() => Err(ConfigError::invalid(
                "runtime",
                "a tokio runtime that has shut down",
                "a runtime that lives as long as what runs on it",
            )),
            _ => Ok(()),
        }
    }
}
