//! What connections log in with.

mod blocking;
mod refresh;
mod wait;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::FusedStream;

use crate::machine::Snapshot;
use crate::manager::Handle;
use crate::shared::Shared;
use crate::watch::Cursor;
use crate::{Event, Runtime, Token, TokenError};

pub use refresh::Refresh;

/// A handle on the newest token of one [`TokenManager`](crate::TokenManager).
///
/// Cheap to clone. A slow reader never holds up others. As a [`Stream`] it
/// yields the current token and then each new one, skipping to the latest, and
/// ends when the manager has stopped.
///
/// It keeps the manager alive.
pub struct Credentials {
    handle: Arc<Handle>,
    cursor: Cursor,
    /// The generation that `changed` returned last; 0 for an error.
    seen: u64,
    ended: bool,
}

impl Credentials {
    pub(crate) const fn new(handle: Arc<Handle>) -> Self {
        Self {
            handle,
            cursor: Cursor::new(),
            seen: 0,
            ended: false,
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.0
    }

    /// The current token. Never waits, and with a valid token neither locks nor
    /// allocates; reads the wall clock once.
    ///
    /// # Errors
    /// [`TokenError`] when there is no valid token. One that the wall clock says
    /// has expired is not returned; a suspend is noticed here.
    pub fn current(&self) -> Result<Token, TokenError> {
        let shared = self.shared();
        let latest = || shared.watch.read(read).map_err(|_| shared.pending());
        let mut token = latest()?;
        while token.has_expired_by(shared.check_clock()) {
            // Unless it was replaced since it was read.
            let latest = latest()?;
            if latest.expiry() == token.expiry() {
                shared.wake_driver();
                return Err(shared.pending());
            }
            token = latest;
        }
        Ok(token)
    }

    /// The current token, or the next one within `limit`. Never one that the wall
    /// clock says has expired.
    ///
    /// # Errors
    /// [`TokenError`] when none came within `limit`; at once when the manager
    /// has stopped, or when waiting can't help: after an error that only a person
    /// can fix, and after [`OnExhausted::WaitForRefresh`](crate::OnExhausted::WaitForRefresh).
    ///
    /// # Cancel safety
    /// Safe: dropping it loses nothing.
    pub async fn get(&self, limit: Duration) -> Result<Token, TokenError> {
        wait::get(self.shared(), limit).await
    }

    /// [`get`](Self::get) for synchronous code: blocks the thread. The limit
    /// is real time, whatever the manager's clock.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_blocking(&self, limit: Duration) -> Result<Token, TokenError> {
        blocking::get(self.shared(), limit)
    }

    /// Waits until there is a token of another generation than this handle has
    /// returned, or no valid token any more. The first call returns as soon as
    /// there is either.
    ///
    /// # Errors
    /// [`TokenError`] when there is no valid token.
    /// [`Stopped`](TokenError::Stopped) is final.
    ///
    /// # Cancel safety
    /// Safe: a change that came meanwhile is returned by the next call.
    pub async fn changed(&mut self) -> Result<Token, TokenError> {
        std::future::poll_fn(|cx| self.poll_changed(cx)).await
    }

    /// [`changed`](Self::changed) for hand-written futures.
    pub fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<Token, TokenError>> {
        loop {
            let latest = ready!(self.poll_updated(cx));
            let generation = latest.as_ref().map_or(0, Token::generation);
            // The same token with a later end is no change.
            if generation == 0 || generation != self.seen {
                self.seen = generation;
                return Poll::Ready(latest);
            }
        }
    }

    /// [`poll_changed`](Self::poll_changed) for client adapters: also ready when
    /// the same token has got another end, and when the clocks have moved apart
    /// and connections may have less time left than was planned with.
    pub fn poll_updated(&mut self, cx: &mut Context<'_>) -> Poll<Result<Token, TokenError>> {
        let watch = &self.handle.0.watch;
        if watch.read(|snapshot| matches!(snapshot, Snapshot::Stopped)) {
            return Poll::Ready(Err(TokenError::Stopped));
        }
        watch.poll_changed(&mut self.cursor, cx, read)
    }

    /// The generation of the current token, which counts rotations; 0 without
    /// one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared().watch.read(|snapshot| match snapshot {
            Snapshot::Valid { generation, .. } => *generation,
            _ => 0,
        })
    }

    /// Requests a token now; see
    /// [`TokenManager::refresh`](crate::TokenManager::refresh).
    pub fn refresh(&self) -> Refresh {
        Refresh::ask(&self.handle, Shared::ask_refresh)
    }

    /// Requests a token because a server refused the one of this generation,
    /// which has not expired: the provider is
    /// [told so](crate::RequestReason::Refused). For client adapters.
    pub fn refresh_refused(&self, generation: u64) -> Refresh {
        Refresh::ask(&self.handle, |shared| {
            shared.ask_refresh_instead_of(generation);
        })
    }

    /// Reads the wall clock, and has the manager check both clocks when they have
    /// moved apart. For client adapters, to call where a connection is used: a
    /// suspend is noticed at the first use. One clock reading, no lock.
    pub fn check_clock(&self) {
        self.shared().check_clock();
    }

    /// Makes attempts in an outage more frequent while the guard lives, as a
    /// waiting [`get`](Self::get) does. For client adapters with a lost
    /// connection.
    #[must_use = "dropping the guard ends the need"]
    pub fn need(&self) -> Need {
        self.shared().needed();
        Need(Arc::clone(&self.handle))
    }

    /// Counts a connection in [`ManagerStatus::connections`](crate::ManagerStatus::connections)
    /// while the guard lives, and has the clocks checked for it. For client
    /// adapters.
    #[must_use = "dropping the guard ends the connection's count"]
    pub fn count_connection(&self) -> Connected {
        self.shared().connected();
        Connected(Arc::clone(&self.handle))
    }

    /// Reports an event to the manager's observers. For client adapters.
    pub fn report(&self, event: &Event) {
        self.shared().report(event);
    }

    /// The runtime that the manager was [spawned](crate::TokenManagerBuilder::spawn) on,
    /// for the tasks of a client adapter; `None` when it was
    /// [built](crate::TokenManagerBuilder::build) with a clock alone.
    #[must_use]
    pub fn runtime(&self) -> Option<Arc<dyn Runtime>> {
        self.shared().runtime.clone()
    }

    /// A handle that has seen nothing: its first
    /// [`changed`](Self::changed) returns the current token.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(Arc::clone(&self.handle))
    }
}

/// A lost connection's need for a token: see [`Credentials::need`].
#[derive(Debug)]
pub struct Need(Arc<Handle>);

impl Drop for Need {
    fn drop(&mut self) {
        self.0.0.no_longer_needed();
    }
}

/// A counted connection: see [`Credentials::count_connection`].
#[derive(Debug)]
pub struct Connected(Arc<Handle>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.0.disconnected();
    }
}

impl Clone for Credentials {
    /// The clone has seen the same changes.
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            cursor: self.cursor.fork(),
            seen: self.seen,
            ended: self.ended,
        }
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        self.handle.0.watch.leave(&mut self.cursor);
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("current", &self.current())
            .finish_non_exhaustive()
    }
}

impl Stream for Credentials {
    type Item = Result<Token, TokenError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let latest = ready!(self.poll_changed(cx));
        self.ended = matches!(latest, Err(TokenError::Stopped));
        Poll::Ready((!self.ended).then_some(latest))
    }
}

impl FusedStream for Credentials {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

fn read(snapshot: &Snapshot<Token>) -> Result<Token, TokenError> {
    match snapshot {
        Snapshot::Pending => Err(TokenError::pending(None)),
        Snapshot::Stopped => Err(TokenError::Stopped),
        Snapshot::Unavailable { error, .. } => Err(TokenError::Unavailable(error.clone())),
        Snapshot::Valid { value, .. } => Ok(value.clone()),
    }
}
