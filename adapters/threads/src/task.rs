use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};

use futures_util::future::BoxFuture;

/// Runs `task` to its end on the calling thread.
pub(crate) fn run(mut task: BoxFuture<'static, ()>) {
    let alert = Arc::new(Alert {
        woken: AtomicBool::new(false),
        thread: thread::current(),
    });
    let waker = Waker::from(Arc::clone(&alert));
    let mut cx = Context::from_waker(&waker);
    while task.as_mut().poll(&mut cx).is_pending() {
        alert.wait();
    }
}

/// The flag, not the thread's park token, says whether the task was woken: what
/// the task calls may park and use the token up.
struct Alert {
    woken: AtomicBool,
    thread: Thread,
}

impl Alert {
    fn wait(&self) {
        while !self.woken.swap(false, Ordering::Acquire) {
            thread::park();
        }
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
