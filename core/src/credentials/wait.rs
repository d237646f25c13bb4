use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::read;
use crate::machine::{Outlook, Snapshot};
use crate::policy::FAR;
use crate::shared::Shared;
use crate::watch::Cursor;
use crate::{Token, TokenError};

/// The current token or the next one, within `limit` by the manager's clock.
pub(super) async fn get(shared: &Shared, limit: Duration) -> Result<Token, TokenError> {
    let mut reader = Reader::new(shared);
    let mut sleep = pin!(None);
    poll_fn(|cx| {
        if let Poll::Ready(outcome) = reader.poll(cx) {
            return Poll::Ready(outcome);
        }
        if sleep.is_none() {
            let deadline = shared.clock.now() + limit.min(FAR);
            sleep.set(Some(shared.clock.sleep_until(deadline)));
        }
        match sleep.as_mut().as_pin_mut().map(|sleep| sleep.poll(cx)) {
            Some(Poll::Ready(())) => Poll::Ready(Err(shared.pending())),
            _ => Poll::Pending,
        }
    })
    .await
}

/// One wait for a usable token.
pub(super) struct Reader<'a> {
    shared: &'a Shared,
    cursor: Cursor,
    waits: bool,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            cursor: Cursor::new(),
            waits: false,
        }
    }

    /// Ready with a token that has not expired by the wall clock, or with an
    /// error that waiting cannot fix.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<Token, TokenError>> {
        let shared = self.shared;
        loop {
            // Registered before the value is read: a change in between is seen.
            let changed = shared.watch.poll_changed(&mut self.cursor, cx, |_| ());
            match shared.watch.read(read) {
                Ok(token) if token.has_expired_by(shared.check_clock()) => shared.wake_driver(),
                Err(_) if shared.waiting_can_help() => {}
                outcome => return Poll::Ready(outcome),
            }
            if !self.waits {
                self.waits = true;
                shared.needed();
            }
            if changed.is_pending() {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.shared.watch.leave(&mut self.cursor);
        if self.waits {
            self.shared.no_longer_needed();
        }
    }
}

impl Shared {
    /// The error while there is no valid token, for a caller whose time is up.
    pub(super) fn pending(&self) -> TokenError {
        match self.watch.read(read) {
            Ok(_) | Err(TokenError::Pending { .. }) => {
                TokenError::pending(self.counts.last().error.clone())
            }
            Err(error) => error,
        }
    }

    fn waiting_can_help(&self) -> bool {
        self.watch.read(|snapshot| match snapshot {
            Snapshot::Stopped => false,
            Snapshot::Unavailable { outlook, .. } => {
                *outlook == Outlook::Retrying || self.refresh_is_due()
            }
            Snapshot::Pending | Snapshot::Valid { .. } => true,
        })
    }
}
