use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::{self, Thread};
use std::time::Duration;

use futures_util::task::{ArcWake, waker};

use super::wait::Reader;
use crate::policy::FAR;
use crate::shared::Shared;
use crate::{Token, TokenError};

/// Parks the thread until there is a token or `limit` has passed.
#[allow(clippy::disallowed_methods)] // a parked thread waits in real time
pub(super) fn get(shared: &Shared, limit: Duration) -> Result<Token, TokenError> {
    let deadline = std::time::Instant::now() + limit.min(FAR);
    let mut reader = Reader::new(shared);
    let waker = waker(Arc::new(Unpark(thread::current())));
    let cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(outcome) = reader.poll(&cx) {
            return outcome;
        }
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        if left.is_zero() {
            return Err(shared.pending());
        }
        thread::park_timeout(left);
    }
}

struct Unpark(Thread);

impl ArcWake for Unpark {
    fn wake_by_ref(parked: &Arc<Self>) {
        parked.0.unpark();
    }
}
