//! The token manager's handle, builder and status.

mod builder;
mod status;

use std::sync::Arc;

use crate::shared::Shared;
use crate::{Credentials, IdentityProvider, Refresh};

pub use builder::TokenManagerBuilder;
pub use status::{ManagerState, ManagerStatus};

/// Keeps one identity's token fresh.
///
/// A cheap-to-clone handle. It and the [`Credentials`] that it returns keep the
/// manager alive; dropping the last of them stops it, and so does
/// [`stop`](Self::stop).
///
/// ```
/// use redis_authx::testing::ManualClock;
/// use redis_authx::{StaticToken, Token, TokenManager};
///
/// let time = ManualClock::new();
/// let identity = StaticToken::new(Token::new("app", "s3cret"));
/// let (manager, driver) = TokenManager::builder(identity).build(&time);
/// let _run = time.run(driver);
///
/// assert_eq!(manager.credentials().current().unwrap().username(), "app");
/// # Ok::<(), redis_authx::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TokenManager {
    handle: Arc<Handle>,
}

impl TokenManager {
    /// A builder for a manager that requests its tokens from `identity`.
    pub fn builder(identity: impl IdentityProvider) -> TokenManagerBuilder {
        TokenManagerBuilder::new(Arc::new(identity))
    }

    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            handle: Arc::new(Handle(shared)),
        }
    }

    /// A handle on the newest token, for connections and other readers.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        Credentials::new(Arc::clone(&self.handle))
    }

    /// Requests a token now, whatever the schedule; not within the minimum
    /// interval, nor before a server's `Retry-After` has passed. The request is
    /// made whether or not the returned future is awaited; it completes with the
    /// outcome.
    pub fn refresh(&self) -> Refresh {
        self.credentials().refresh()
    }

    /// Stops the manager for good: a request under way is cancelled, and readers get
    /// [`Stopped`](crate::TokenError::Stopped). Further calls have no effect.
    pub fn stop(&self) {
        self.handle.0.ask_stop();
    }

    /// A snapshot of the manager's state.
    #[must_use]
    pub fn status(&self) -> ManagerStatus {
        ManagerStatus::of(&self.handle.0)
    }
}

/// Stops the manager when the last one is dropped.
#[derive(Debug)]
pub(crate) struct Handle(pub(crate) Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.ask_stop();
    }
}
