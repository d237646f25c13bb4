#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

/// Who sleeps until when, and the thread that wakes them. It is started for the
/// first sleeper and ends when there has been none for a while.
pub(crate) struct Timers {
    state: Mutex<State>,
    changed: Condvar,
    linger: Duration,
}

struct State {
    /// By deadline, then in the order in which they fell asleep.
    asleep: BTreeMap<Key, Waker>,
    running: bool,
}

/// The number tells sleepers of one deadline apart.
type Key = (Instant, u64);

impl Timers {
    /// Timers whose thread outlives the last sleeper by `linger`.
    pub(crate) const fn new(linger: Duration) -> Self {
        Self {
            state: Mutex::new(State {
                asleep: BTreeMap::new(),
                running: false,
            }),
            changed: Condvar::new(),
            linger,
        }
    }

    pub(crate) fn sleep_until(&'static self, deadline: Instant) -> Sleeper {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let key = (deadline, NEXT.fetch_add(1, Ordering::Relaxed));
        Sleeper { timers: self, key }
    }

    /// Sets the waker of a sleeper; returns what has to be dropped.
    fn register(&'static self, key: Key, waker: Waker) -> Option<Waker> {
        let mut state = self.lock();
        let known = state.asleep.insert(key, waker);
        if !state.running {
            thread::Builder::new()
                .name("authx-timer".to_owned())
                .spawn(|| self.run())
                .expect("the system can start a thread for timers");
            state.running = true;
        } else if state.next() == Some(key) {
            self.changed.notify_one();
        }
        known
    }

    fn forget(&self, key: Key) -> Option<Waker> {
        let mut state = self.lock();
        let waker = state.asleep.remove(&key);
        if state.asleep.is_empty() {
            self.changed.notify_one();
        }
        waker
    }

    fn run(&self) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            if let Some(waker) = state.take_due(now) {
                // Outside the lock, as it may run anything; even a panic in
                // there must not hold up the others.
                drop(state);
                let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
                state = self.lock();
                continue;
            }
            let next = state.next();
            let wait = next.map_or(self.linger, |(deadline, _)| deadline - now);
            let (woken, limit) = self
                .changed
                .wait_timeout(state, wait)
                .unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if next.is_none() && limit.timed_out() && state.asleep.is_empty() {
                state.running = false;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn next(&self) -> Option<Key> {
        self.asleep.keys().next().copied()
    }

    fn take_due(&mut self, now: Instant) -> Option<Waker> {
        let first = self.asleep.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

/// Ends at its deadline; forgotten when dropped.
pub(crate) struct Sleeper {
    timers: &'static Timers,
    key: Key,
}

impl Future for Sleeper {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.key.0 {
            return Poll::Ready(());
        }
        drop(self.timers.register(self.key, cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        drop(self.timers.forget(self.key));
    }
}
