//! Futures on threads that have no runtime.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// Runs a future on the calling thread, to its end or for `limit`, which is
/// real time.
pub(crate) fn block_on<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    // A limit that is too long to count is none.
    let deadline = Instant::now().checked_add(limit);
    let mut future = pin!(future);
    let alert = Arc::new(Alert {
        woken: AtomicBool::new(false),
        thread: thread::current(),
    });
    let waker = Waker::from(Arc::clone(&alert));
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        if !alert.wait(deadline) {
            return None;
        }
    }
}

/// The flag, not the thread's park token, says whether the future was woken:
/// what it calls may park and use the token up.
struct Alert {
    woken: AtomicBool,
    thread: Thread,
}

impl Alert {
    /// Whether it was woken before the deadline.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        while !self.woken.swap(false, Ordering::Acquire) {
            let Some(deadline) = deadline else {
                thread::park();
                continue;
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            thread::park_timeout(left);
        }
        true
    }
}

impl Wake for Alert {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, poll_fn, ready};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_future_is_run_to_its_end() {
        assert_eq!(block_on(LONG, ready(7)), Some(7));
        // Woken from another thread, after as many spurious wakes.
        let mut polls = 0;
        let counted = block_on(
            Duration::MAX,
            poll_fn(|cx| {
                polls += 1;
                let waker = cx.waker().clone();
                thread::spawn(move || waker.wake());
                if polls < 5 {
                    Poll::Pending
                } else {
                    Poll::Ready(polls)
                }
            }),
        );
        assert_eq!(counted, Some(5));
    }

    #[test]
    fn and_no_longer_than_the_limit() {
        assert_eq!(block_on(Duration::ZERO, ready(7)), Some(7));
        assert_eq!(block_on(Duration::ZERO, pending::<()>()), None);
        assert_eq!(block_on(Duration::from_millis(5), pending::<()>()), None);
    }

    /// As redis-rs's sync connections in a future that is run in this way.
    #[test]
    fn one_may_run_inside_another() {
        let nested = async { block_on(LONG, ready(7)) };
        assert_eq!(block_on(LONG, nested), Some(Some(7)));
    }
}
