//! Deterministic time for tests: a [`ManualClock`], a [`ScriptedProvider`], and a
//! [`Run`] that drives tasks without a runtime and without sleeping.
//!
//! Feature `test-util`, for the tests of applications and of custom providers.
//!
//! ```
//! use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes, seconds};
//! use redis_authx::{ProviderError, TokenManager};
//!
//! let time = ManualClock::new();
//! let script = ScriptedProvider::new()
//!     .token("a", hours(1))
//!     .error(ProviderError::unavailable("down"))
//!     .token("b", hours(1));
//! let (manager, driver) = TokenManager::builder(script.clone()).build(&time);
//! let mut run = time.run(driver);
//!
//! assert_eq!(manager.credentials().current().unwrap().password(), "a");
//! run.advance(minutes(45));   // the refresh fails once …
//! run.advance(seconds(1));    // … and is retried
//! assert_eq!(manager.credentials().current().unwrap().password(), "b");
//! assert_eq!(script.requests(), 3);
//! # Ok::<(), redis_authx::ConfigError>(())
//! ```

mod clock;
mod events;
mod executor;
mod provider;
mod run;
mod sleepers;

use std::time::Duration;

pub use clock::ManualClock;
pub use events::EventLog;
pub use provider::ScriptedProvider;
pub use run::Run;

/// A duration of `count` milliseconds.
#[must_use]
pub const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A duration of `count` seconds.
#[must_use]
pub const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A duration of `count` minutes.
#[must_use]
pub const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// A duration of `count` hours.
#[must_use]
pub const fn hours(count: u64) -> Duration {
    Duration::from_secs(3600 * count)
}
