use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::watch::{Cursor, Watch};

/// Where the link of a subscriber is.
pub struct Place<L>(Watch<Arc<L>>);

impl<L> Place<L> {
    pub(super) fn new(link: Arc<L>) -> Self {
        Self(Watch::new(link))
    }

    /// The link that is in place.
    #[must_use]
    pub fn link(&self) -> Arc<L> {
        self.0.read(Arc::clone)
    }

    pub(super) fn put(&self, link: Arc<L>) {
        self.0.publish(link);
    }

    /// Waits for a link other than the one that is in place now.
    pub fn replaced(&self) -> Replaced<'_, L> {
        let mut cursor = Cursor::default();
        self.0.see(&mut cursor);
        Replaced {
            place: self,
            cursor,
        }
    }
}

impl<L> fmt::Debug for Place<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").finish_non_exhaustive()
    }
}

/// A future that is ready once a link has been put in the [`Place`]. Counts from
/// when it was made.
#[must_use = "futures do nothing unless polled"]
pub struct Replaced<'a, L> {
    place: &'a Place<L>,
    cursor: Cursor,
}

impl<L> Future for Replaced<'_, L> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let place = self.place;
        place.0.poll_changed(&mut self.cursor, cx, |_| ())
    }
}

impl<L> Drop for Replaced<'_, L> {
    fn drop(&mut self) {
        self.place.0.leave(&mut self.cursor);
    }
}

impl<L> fmt::Debug for Replaced<'_, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replaced").finish_non_exhaustive()
    }
}
