use std::fmt;
use std::sync::{Arc, Weak};

use redis_authx::{
    ConfigError, Connected, ConnectionId, ConnectionStatus, Credentials, Moment, ReauthError,
    ReauthPolicy, Runtime, Token,
};

use crate::Session;
use crate::driver::ReauthDriver;
use crate::entry::Grant;
use crate::inbox::{Inbox, Notice};
use crate::status::StatusCell;

/// Re-authenticates the sessions that are registered with it.
///
/// A cheap-to-clone handle. Its task ends when the last handle and the last
/// [`Registration`] are dropped.
#[derive(Clone, Debug)]
pub struct Reauthenticator {
    inbox: Arc<Inbox>,
    credentials: Credentials,
    policy: Arc<ReauthPolicy>,
    runtime: Arc<dyn Runtime>,
}

impl Reauthenticator {
    /// Starts its task on `runtime`.
    ///
    /// # Errors
    /// The error of [`Spawner::spawn`](redis_authx::Spawner::spawn) when `runtime`
    /// can't run the task.
    pub fn spawn(
        credentials: &Credentials,
        policy: ReauthPolicy,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Self, ConfigError> {
        let inbox = Arc::new(Inbox::new());
        let mail = inbox.mail();
        let settings = policy.clone();
        let driver = ReauthDriver::new(credentials.fresh(), settings, Arc::clone(&runtime), mail);
        runtime.spawn(Box::pin(driver))?;
        Ok(Self {
            inbox,
            credentials: credentials.clone(),
            policy: Arc::new(policy),
            runtime,
        })
    }

    /// The credentials that sessions log in with.
    #[must_use]
    pub const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// When and how sessions are re-authenticated.
    #[must_use]
    pub fn policy(&self) -> &ReauthPolicy {
        &self.policy
    }

    /// The runtime of its task.
    #[must_use]
    pub const fn runtime(&self) -> &Arc<dyn Runtime> {
        &self.runtime
    }

    /// Registers a session that has just logged in with `token`, until the
    /// registration is dropped.
    ///
    /// The session is held weakly, except while one of its futures runs. Keep the
    /// registration beside the session, in what the application holds, and not
    /// inside it: dropping the registration aborts a future that runs.
    #[must_use = "dropping the registration ends the renewal"]
    pub fn register(&self, session: Weak<dyn Session>, token: &Token) -> Registration {
        let id = ConnectionId::unique();
        let grant = Grant::of(token, &self.runtime);
        let status = Arc::new(StatusCell::new(id, &grant));
        self.inbox.send(Notice::Joined {
            id,
            session,
            grant,
            status: Arc::clone(&status),
        });
        Registration {
            id,
            status,
            inbox: Arc::clone(&self.inbox),
            credentials: self.credentials.clone(),
            _counted: self.credentials.count_connection(),
            runtime: Arc::clone(&self.runtime),
        }
    }
}

/// The registration of a session with a [`Reauthenticator`]. Dropping it ends the
/// session's renewal.
pub struct Registration {
    id: ConnectionId,
    status: Arc<StatusCell>,
    inbox: Arc<Inbox>,
    credentials: Credentials,
    _counted: Connected,
    runtime: Arc<dyn Runtime>,
}

impl Registration {
    /// Call when the connection may have been lost. A session that is not
    /// [connected](Session::is_connected) is replaced at once.
    pub fn lost(&self) {
        self.inbox.send(Notice::Lost(self.id, None));
    }

    /// Call when the session itself has given up the connection. It is replaced like
    /// a [`lost`](Self::lost) one, and the reason is reported as an event and in the
    /// status.
    pub fn lost_by(&self, why: ReauthError) {
        self.inbox.send(Notice::Lost(self.id, Some(why)));
    }

    /// Call when the session is no longer [busy](redis_authx::ReauthErrorKind::Busy). A deferred
    /// `AUTH` is sent at once.
    pub fn ready(&self) {
        self.inbox.send(Notice::Ready(self.id));
    }

    /// A snapshot of the connection's state.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.status.read(Moment::now(&self.runtime))
    }

    /// Has the manager compare both clocks where they may have moved apart: call it
    /// where the connection is used. See
    /// [`Credentials::check_clock`].
    pub fn check_clock(&self) {
        self.credentials.check_clock();
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.inbox.send(Notice::Left(self.id));
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}
