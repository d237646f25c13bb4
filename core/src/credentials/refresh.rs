use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::manager::Handle;
use crate::shared::Shared;
use crate::watch::Cursor;
use crate::{Token, TokenError};

/// A refresh that was asked for. It happens whether or not this future is
/// polled; the future completes with the first attempt that began after it was
/// asked for, or with a token that came earlier.
///
/// # Errors
/// [`TokenError::Unavailable`] with the attempt's error, though a valid token
/// may still be in use; [`TokenError::Stopped`] once the manager has stopped.
///
/// # Cancel safety
/// Safe: dropping it does not end the attempt.
#[derive(Debug)]
pub struct Refresh {
    handle: Arc<Handle>,
    cursor: Cursor,
    /// The latest request at the time of asking.
    after: u64,
}

impl Refresh {
    pub(super) fn ask(handle: &Arc<Handle>, ask: impl FnOnce(&Shared)) -> Self {
        let shared = &handle.0;
        let mut cursor = Cursor::new();
        shared.attempts.ended.see(&mut cursor);
        let after = shared.attempts.latest();
        ask(shared);
        Self {
            handle: Arc::clone(handle),
            cursor,
            after,
        }
    }
}

impl Future for Refresh {
    type Output = Result<Token, TokenError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let shared = &this.handle.0;
        loop {
            let latest = shared.watch.read(super::read);
            if matches!(latest, Err(TokenError::Stopped)) {
                return Poll::Ready(latest);
            }
            let after = this.after;
            let ended = shared
                .attempts
                .ended
                .poll_changed(&mut this.cursor, cx, |ended| match &ended.error {
                    None => Some(Ok(())),
                    Some(error) => (ended.number > after).then(|| Err(error.clone())),
                });
            match std::task::ready!(ended) {
                Some(Ok(())) => return Poll::Ready(shared.watch.read(super::read)),
                Some(Err(error)) => return Poll::Ready(Err(TokenError::Unavailable(error))),
                None => {}
            }
        }
    }
}

impl Drop for Refresh {
    fn drop(&mut self) {
        self.handle.0.attempts.ended.leave(&mut self.cursor);
    }
}
