use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use futures_util::future::BoxFuture;

#[cfg(test)]
mod tests;

thread_local! {
    /// The task that runs on this thread: its waker, and what it wakes.
    static CURRENT: RefCell<Option<(Waker, Arc<Alert>)>> = const { RefCell::new(None) };
}

/// Runs `task` to its end on the calling thread.
pub(crate) fn run(mut task: BoxFuture<'static, ()>) {
    let alert = Arc::new(Alert::new(thread::current()));
    let waker = Waker::from(Arc::clone(&alert));
    CURRENT.set(Some((waker.clone(), Arc::clone(&alert))));
    let mut cx = Context::from_waker(&waker);
    while task.as_mut().poll(&mut cx).is_pending() {
        while !alert.woken.swap(false, Ordering::Acquire) {
            alert.park();
        }
    }
}

/// A deadline, and a number that is different for each sleep.
pub(crate) type Key = (Instant, u64);

/// A thread, and the sleeps that it waits for.
pub(crate) struct Alert {
    thread: Thread,
    /// Whether the thread's task was woken. The thread's park token can't say
    /// so: code that the task calls may park, and use the token up.
    woken: AtomicBool,
    sleeps: Mutex<BTreeMap<Key, Waker>>,
}

impl Alert {
    pub(crate) const fn new(thread: Thread) -> Self {
        Self {
            thread,
            woken: AtomicBool::new(false),
            sleeps: Mutex::new(BTreeMap::new()),
        }
    }

    /// The alert of the task on this thread, if `waker` wakes that task. A sleep
    /// with any other waker needs another thread: this one may be blocked at the
    /// deadline, in an executor that the task contains, for example.
    pub(crate) fn of(waker: &Waker) -> Option<Arc<Self>> {
        CURRENT.with_borrow(|current| {
            let (own, alert) = current.as_ref()?;
            waker.will_wake(own).then(|| Arc::clone(alert))
        })
    }

    pub(crate) fn sleeps(&self) -> MutexGuard<'_, BTreeMap<Key, Waker>> {
        self.sleeps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a sleep, or sets its waker. Returns the previous one, to be dropped
    /// outside all locks.
    pub(crate) fn insert(&self, key: Key, waker: Waker) -> Option<Waker> {
        let mut sleeps = self.sleeps();
        let previous = sleeps.insert(key, waker);
        let is_next = sleeps.keys().next() == Some(&key);
        drop(sleeps);
        if previous.is_none() && is_next {
            self.thread.unpark();
        }
        previous
    }

    pub(crate) fn remove(&self, key: Key) {
        let mut sleeps = self.sleeps();
        let waker = sleeps.remove(&key);
        let is_empty = sleeps.is_empty();
        drop(sleeps);
        if waker.is_some() && is_empty {
            self.thread.unpark();
        }
    }

    /// Wakes the next sleep if it is due. Otherwise parks the thread until then,
    /// or until it is unparked.
    pub(crate) fn park(&self) {
        let mut sleeps = self.sleeps();
        let Some(next) = sleeps.first_entry() else {
            drop(sleeps);
            return thread::park();
        };
        let left = next.key().0.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            drop(sleeps);
            return thread::park_timeout(left);
        }
        let waker = next.remove();
        // A waker may run any code: it must not find the lock held, and if it
        // panics, the other sleeps must still be woken.
        drop(sleeps);
        let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
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
