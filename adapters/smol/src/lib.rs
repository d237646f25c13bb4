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
//! A program with an `Executor` of its own
//! [builds](redis_authx::Builder::build) the manager with the clock `Smol` and
//! spawns the driver there.

use std::time::{Instant, SystemTime};

use futures_util::future::BoxFuture;
use redis_authx::{Clock, Sleep, Spawner};
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
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        // Without this, dropping the handle would cancel the task.
        smol::spawn(task).detach();
    }
}
