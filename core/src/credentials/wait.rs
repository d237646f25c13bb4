use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Lane, read};
use crate::policy::FAR;
use crate::shared::Shared;
use crate::watch::Cursor;
use crate::{Token, TokenError};

/// The token in hand or the next one, within `limit` by the manager's clock.
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
            Some(Poll::Ready(())) => Poll::Ready(Err(reader.give_up())),
            _ => Poll::Pending,
        }
    })
    .await
}

/// One wait for a usable token.
pub(super) struct Reader<'a> {
    shared: &'a Shared,
    cursor: Cursor,
}

impl<'a> Reader<'a> {
    pub(super) fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            cursor: Cursor::default(),
        }
    }

    /// Ready with a token that has not expired by the wall clock, or with an
    /// error that no wait of this length will mend.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<Token, TokenError>> {
        loop {
            // First the news, then the value: what comes in between is news.
            let changed = self.shared.watch.poll_changed(&mut self.cursor, cx, |_| ());
            match self
                .shared
                .watch
                .read(|snapshot| read(snapshot, Lane::default()))
            {
                Ok(token) if self.has_expired(&token) => self.shared.wake_driver(),
                Ok(token) => return Poll::Ready(Ok(token)),
                Err(error) if is_final(&error) => return Poll::Ready(Err(error)),
                Err(_) => {}
            }
            if changed.is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Why there is no token, for a caller whose patience has run out.
    pub(super) fn give_up(&self) -> TokenError {
        match self
            .shared
            .watch
            .read(|snapshot| read(snapshot, Lane::default()))
        {
            Ok(_) => TokenError::Pending,
            Err(error) => error,
        }
    }

    fn has_expired(&self, token: &Token) -> bool {
        token
            .time_left(self.shared.clock.wall())
            .is_some_and(|left| left.is_zero())
    }
}

impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.shared.watch.leave(&mut self.cursor);
    }
}

fn is_final(error: &TokenError) -> bool {
    match error {
        TokenError::Stopped => true,
        TokenError::Unavailable(error) => !error.is_transient(),
        TokenError::Pending => false,
    }
}
