//! What connections log in with.

mod blocking;
mod lanes;
mod wait;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::Stream;
use futures_util::stream::FusedStream;

use crate::machine::Snapshot;
use crate::manager::Handle;
use crate::shared::Shared;
use crate::watch::Cursor;
use crate::{Event, Runtime, Token, TokenError};
pub(crate) use lanes::{Lane, Lanes};

/// Always the newest token of one [`TokenManager`](crate::TokenManager).
///
/// A handle, cheap to clone and to keep: it costs a reader nothing to be slow.
/// As a [`Stream`] it yields the token in hand and then each new one, latest
/// only, and ends when the manager has stopped.
///
/// It keeps the manager alive.
pub struct Credentials {
    handle: Arc<Handle>,
    cursor: Cursor,
    lane: Lane,
    ended: bool,
}

impl Credentials {
    pub(crate) fn new(handle: Arc<Handle>) -> Self {
        let lane = handle.0.next_lane();
        Self {
            handle,
            cursor: Cursor::default(),
            lane,
            ended: false,
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.0
    }

    /// The token in hand. Wait-free, without an allocation: for hot paths.
    ///
    /// After a suspend it may show a token that expired meanwhile until the
    /// manager has looked at the clocks, within 30 s; [`get`](Self::get) never
    /// does.
    ///
    /// # Errors
    /// [`TokenError`] when there is none.
    pub fn current(&self) -> Result<Token, TokenError> {
        self.shared()
            .watch
            .read(|snapshot| read(snapshot, self.lane))
    }

    /// The token in hand, or the next one within `limit`. Never one that has
    /// expired by the wall clock.
    ///
    /// # Errors
    /// [`TokenError`] when none came within `limit`; at once when the manager
    /// has stopped or its last error is one that only a person can mend.
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

    /// Waits for news that this handle has not seen: a new token, or that
    /// there is none any more. The first call returns at once when a request
    /// has ended by then.
    ///
    /// # Errors
    /// [`TokenError`] is news as well; after
    /// [`Stopped`](TokenError::Stopped) there is no other.
    ///
    /// # Cancel safety
    /// Safe: news that came meanwhile is there at the next call.
    pub async fn changed(&mut self) -> Result<Token, TokenError> {
        std::future::poll_fn(|cx| self.poll_changed(cx)).await
    }

    /// [`changed`](Self::changed) for hand-written futures.
    pub fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<Result<Token, TokenError>> {
        let watch = &self.handle.0.watch;
        let lane = self.lane;
        if watch.read(|snapshot| matches!(snapshot, Snapshot::Stopped)) {
            return Poll::Ready(Err(TokenError::Stopped));
        }
        watch.poll_changed(&mut self.cursor, cx, |snapshot| read(snapshot, lane))
    }

    /// The generation of the token in hand, which counts rotations; 0 without
    /// one.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.shared().watch.read(|snapshot| match snapshot {
            Snapshot::Valid { generation, .. } => *generation,
            _ => 0,
        })
    }

    /// Asks the manager for a fresh token: for a client whose token was
    /// refused. See [`TokenManager::refresh`](crate::TokenManager::refresh).
    pub fn refresh(&self) {
        self.shared().ask_refresh();
    }

    /// The runtime that the manager was [spawned](crate::Builder::spawn) on,
    /// for the tasks of a client adapter; `None` when it was
    /// [built](crate::Builder::build) with a clock alone.
    #[must_use]
    pub fn runtime(&self) -> Option<Arc<dyn Runtime>> {
        self.shared().runtime.clone()
    }

    /// Another handle, to which everything is news.
    pub(crate) fn unseen(&self) -> Self {
        Self::new(Arc::clone(&self.handle))
    }

    /// Tells the manager's observers of something that happened to a
    /// connection.
    pub(crate) fn report(&self, event: &Event) {
        self.shared().report(event);
    }
}

impl Clone for Credentials {
    /// The clone has seen the same news.
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            cursor: self.cursor.twin(),
            lane: self.handle.0.next_lane(),
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
        let news = std::task::ready!(self.poll_changed(cx));
        self.ended = matches!(news, Err(TokenError::Stopped));
        Poll::Ready((!self.ended).then_some(news))
    }
}

impl FusedStream for Credentials {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

fn read(snapshot: &Snapshot<Lanes>, lane: Lane) -> Result<Token, TokenError> {
    match snapshot {
        Snapshot::Pending => Err(TokenError::Pending),
        Snapshot::Stopped => Err(TokenError::Stopped),
        Snapshot::Unavailable(error) => Err(TokenError::Unavailable(error.clone())),
        Snapshot::Valid { value, .. } => Ok(value.token(lane)),
    }
}
