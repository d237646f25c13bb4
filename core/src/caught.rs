use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// A future of an implementor's code. A panic ends this future and nothing else,
/// whether it is polled or dropped: the output is then `None`. For client adapters.
#[must_use = "a future does nothing unless it is polled"]
pub struct Caught<T: 'static>(BoxFuture<'static, T>);

impl<T: 'static> Caught<T> {
    /// Wraps `future`.
    pub fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(future.boxed())
    }
}

impl<T: 'static> Future for Caught<T> {
    /// `None` after a panic.
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let poll = AssertUnwindSafe(|| self.0.as_mut().poll(cx));
        match catch_unwind(poll) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}

impl<T: 'static> Drop for Caught<T> {
    fn drop(&mut self) {
        let future = std::mem::replace(&mut self.0, Box::pin(std::future::pending()));
        let _ = catch_unwind(AssertUnwindSafe(|| drop(future)));
    }
}

impl<T: 'static> fmt::Debug for Caught<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caught").finish_non_exhaustive()
    }
}
