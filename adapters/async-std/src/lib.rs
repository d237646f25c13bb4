//! Runs redis-authx on [async-std](https://docs.rs/async-std).
//!
//! async-std is discontinued ([RUSTSEC-2025-0052]) and receives no fixes. This
//! crate is for programs that still run on it. New programs should use [smol]
//! and `redis-authx-smol`. So should those that can migrate: async-std is a thin
//! layer over smol's crates, both share timers and sockets, and a program can
//! migrate module by module.
//!
//! ```
//! use std::time::Duration;
//!
//! use redis_authx::{StaticToken, Token, TokenManager};
//! use redis_authx_async_std::AsyncStd;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # async_std::task::block_on(async {
//! let identity = StaticToken::new(Token::new("app", "s3cret"));
//! let manager = TokenManager::builder(identity).spawn(AsyncStd)?;
//!
//! let token = manager.credentials().get(Duration::from_secs(10)).await?;
//! assert_eq!(token.username(), "app");
//! # Ok(())
//! # }) }
//! ```
//!
//! [RUSTSEC-2025-0052]: https://rustsec.org/advisories/RUSTSEC-2025-0052.html
//! [smol]: https://docs.rs/smol

use std::time::{Instant, SystemTime};

use async_std::task;
use futures_util::future::BoxFuture;
use redis_authx::{Clock, ConfigError, Sleep, Spawner};

/// async-std's global runtime.
///
/// Usable from any thread: async-std starts its threads on first use.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs)] // a value to write down: `AsyncStd`
pub struct AsyncStd;

impl Clock for AsyncStd {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        // async-std waits for a duration, measured from the first poll.
        Sleep::new(async move {
            let left = deadline.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                task::sleep(left).await;
            }
        })
    }
}

impl Spawner for AsyncStd {
    /// Never fails. async-std panics if the system can't start its threads.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        // A task runs on after its handle is dropped.
        drop(task::spawn(task));
        Ok(())
    }
}
