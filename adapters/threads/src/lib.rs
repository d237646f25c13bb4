//! Runs redis-authx on plain threads, for programs without an async runtime.
//!
//! ```
//! use std::time::Duration;
//!
//! use redis_authx::{StaticToken, Token, TokenManager};
//! use redis_authx_threads::Threads;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let identity = StaticToken::new(Token::new("app", "s3cret"));
//! let manager = TokenManager::builder(identity).spawn(Threads)?;
//!
//! let token = manager.credentials().get_blocking(Duration::from_secs(10))?;
//! assert_eq!(token.username(), "app");
//! # Ok(()) }
//! ```
//!
//! Each manager uses one thread, which is parked until its next deadline and
//! ends with the manager.
//!
//! Only futures that need no runtime for their input and output run here: the
//! managers, blocking connections, identity backends without a runtime. A future
//! that uses tokio's sockets needs `redis-authx-tokio`.

mod task;
mod timer;

use std::thread;
use std::time::{Instant, SystemTime};

use futures_util::future::BoxFuture;
use redis_authx::{Clock, ConfigError, Sleep, Spawner};

use timer::Timers;

static TIMERS: Timers = Timers::new();

/// Runs each task on a thread of its own, named `authx-task`.
///
/// A task's thread waits for the task's own sleeps. Sleeps that are polled
/// elsewhere (outside a task, or within an executor that a task contains) share
/// a thread named `authx-timer`, which runs while there are any.
///
/// Usable from any thread. A task may block its thread: no other task waits for
/// it.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs)] // a value to write down: `Threads`
pub struct Threads;

impl Clock for Threads {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    /// # Panics
    /// When polled, if the timer thread is needed and the system can't start it.
    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(TIMERS.sleep_until(deadline))
    }
}

impl Spawner for Threads {
    /// A task that panics ends its own thread and nothing else.
    ///
    /// # Errors
    /// When the system can't start a thread.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        let thread = thread::Builder::new().name("authx-task".to_owned());
        let started = thread.spawn(move || task::run(task));
        started.map(drop).map_err(|error| {
            ConfigError::invalid(
                "runtime",
                format_args!("`Threads`, which could not start a thread ({error})"),
                "a system with memory for one more thread, and a limit that permits it",
            )
        })
    }
}
