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
//! A manager takes one thread, which is parked but for a moment once in half a
//! minute; all managers share a second one for their timers. Both end with the
//! managers.
//!
//! Only what brings its own input and output runs here: the managers, blocking
//! connections, identity backends that need no runtime. A future that wants
//! tokio's sockets needs tokio, and `redis-authx-tokio`.

mod task;
mod timer;

use std::thread;
use std::time::{Duration, Instant, SystemTime};

use futures_util::future::BoxFuture;
use redis_authx::{Clock, Sleep, Spawner};

use timer::Timers;

/// How long the timers' thread outlives the last sleeper. Longer than the
/// moment between two sleeps of a manager, so that the thread is not started
/// anew each time.
const LINGER: Duration = Duration::from_secs(10);

static TIMERS: Timers = Timers::new(LINGER);

/// A thread for each task, named `authx-task`, and one for all timers, named
/// `authx-timer`.
///
/// Usable from any thread. A task may block its thread: no other waits for it.
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
    /// When polled and the system can't start the timers' thread.
    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(TIMERS.sleep_until(deadline))
    }
}

impl Spawner for Threads {
    /// A task that panics ends its own thread and nothing else.
    ///
    /// # Panics
    /// When the system can't start a thread; the task is dropped then.
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        thread::Builder::new()
            .name("authx-task".to_owned())
            .spawn(move || task::run(task))
            .expect("the system can start a thread for a task");
    }
}
