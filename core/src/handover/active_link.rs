use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::watch::{Cursor, Watch};

/// The [`Link`](super::Link) of a subscriber's active connection, which a
/// handover replaces.
pub struct ActiveLink<L>(Watch<Arc<L>>);

impl<L> ActiveLink<L> {
    pub(super) fn new(link: Arc<L>) -> Self {
        Self(Watch::new(link))
    }

    /// The link of the connection that is active now. Never blocks.
    #[must_use]
    pub fn current(&self) -> Arc<L> {
        self.0.read(Arc::clone)
    }

    pub(super) fn set(&self, link: Arc<L>) {
        self.0.publish(link);
    }

    /// Waits for the next handover to another link, counted from this call.
    pub fn changed(&self) -> LinkChanged<'_, L> {
        let mut cursor = Cursor::default();
        self.0.see(&mut cursor);
        LinkChanged { link: self, cursor }
    }
}

impl<L> fmt::Debug for ActiveLink<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveLink").finish_non_exhaustive()
    }
}

/// A future that completes when the [`ActiveLink`] has changed since this future
/// was created.
///
/// # Cancel safety
/// Safe: a change after a drop is seen by [`ActiveLink::current`].
#[must_use = "futures do nothing unless polled"]
pub struct LinkChanged<'a, L> {
    link: &'a ActiveLink<L>,
    cursor: Cursor,
}

impl<L> Future for LinkChanged<'_, L> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let link = self.link;
        link.0.poll_changed(&mut self.cursor, cx, |_| ())
    }
}

impl<L> Drop for LinkChanged<'_, L> {
    fn drop(&mut self) {
        self.link.0.leave(&mut self.cursor);
    }
}

impl<L> fmt::Debug for LinkChanged<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinkChanged").finish_non_exhaustive()
    }
}
