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
//! Needs a runtime with time enabled, as `#[tokio::main]` gives.

use std::future::pending;
use std::time::{Instant, SystemTime};

use futures_util::future::BoxFuture;
use redis_authx::{Clock, Sleep, Spawner};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// The tokio runtime of whoever uses it.
///
/// [`TokenManager::builder(…).spawn(Tokio)`](redis_authx::Builder::spawn)
/// must be called from within a runtime; [`OnTokio`] names one instead.
/// Time is tokio's, so `tokio::time::pause` stops it too (the wall clock goes
/// on: use the core's `ManualClock` for tests of expiry).
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
    /// When polled outside a tokio runtime with time enabled.
    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(async move {
            // A tokio timer that is late already would wait for the next turn.
            if Self.now() < deadline {
                tokio::time::sleep_until(deadline.into()).await;
            }
        })
    }
}

impl Spawner for Tokio {
    /// # Panics
    /// When called outside a tokio runtime.
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(tokio::spawn(task));
    }
}

/// One particular tokio runtime, usable from any thread.
#[derive(Clone, Debug)]
pub struct OnTokio(Handle);

impl OnTokio {
    /// Runs everything on the runtime of `handle`.
    #[must_use]
    pub const fn new(handle: Handle) -> Self {
        Self(handle)
    }

    /// A task that ends at `deadline`: a timer that was polled from outside would
    /// panic where the runtime ends in that moment.
    fn timer(&self, deadline: Instant) -> Timer {
        let timer = {
            let _runtime = self.0.enter();
            tokio::time::sleep_until(deadline.into())
        };
        Timer(self.0.spawn(timer))
    }
}

/// Is not there any more when nobody waits for it.
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

    /// Goes off no more when the runtime has ended.
    ///
    /// # Panics
    /// When polled and the runtime has no time enabled.
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
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(self.0.spawn(task));
    }
}
