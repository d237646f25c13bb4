//! Runs redis-authx on [smol](https://docs.rs/smol).
//!
//! ```
//! use std::time::Duration;
//!
//! use redis_authx::{StaticToken, Token, TokenManager};
//! use redis_authx_smol::Smol;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # smol::block_on(async {
//! let identity = StaticToken::new(Token::new("app", "s3cret"));
//! let manager = TokenManager::builder(identity).spawn(Smol)?;
//!
//! let token = manager.credentials().get(Duration::from_secs(10)).await?;
//! assert_eq!(token.username(), "app");
//! # Ok(())
//! # }) }
//! ```
//!
//! To run the manager on an `Executor` of the application,
//! [build](redis_authx::TokenManagerBuilder::build) it with the clock `Smol` and spawn the
//! driver on that executor.

use std::time::{Instant, SystemTime};

use futures_util::future::BoxFuture;
use redis_authx::{Clock, ConfigError, Sleep, Spawner};
use smol::Timer;

/// smol's global executor and timers.
///
/// Usable from any thread. The executor has one thread unless the environment
/// variable `SMOL_THREADS` says otherwise.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs)] // a value to write down: `Smol`
pub struct Smol;

impl Clock for Smol {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        Sleep::new(async move {
            Timer::at(deadline).await;
        })
    }
}

impl Spawner for Smol {
    /// Never fails. smol panics if the system can't start the executor's threads.
    fn spawn(&self, task: BoxFuture<'static, ()>) -> Result<(), ConfigError> {
        // Dropping the handle would cancel the task.
        smol::spawn(task).detach();
        Ok(())
    }
}
