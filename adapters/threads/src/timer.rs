#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Instant;

use crate::task::{Alert, Key};

/// The timer thread, for sleeps that no task's own thread waits for. It runs
/// while there are any.
pub(crate) struct Timers(Mutex<Option<Arc<Alert>>>);

impl Timers {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn sleep_until(&'static self, deadline: Instant) -> Sleeper {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Sleeper {
            timers: self,
            key: (deadline, NEXT.fetch_add(1, Ordering::Relaxed)),
            alert: None,
        }
    }

    /// As [`Alert::insert`], for the timer thread.
    fn insert(&'static self, key: Key, waker: Waker) -> (Arc<Alert>, Option<Waker>) {
        let mut thread = self.lock();
        let alert = thread.get_or_insert_with(|| self.start());
        let previous = alert.insert(key, waker);
        (Arc::clone(alert), previous)
    }

    fn start(&'static self) -> Arc<Alert> {
        let (send, receive) = mpsc::channel::<Arc<Alert>>();
        let thread = thread::Builder::new()
            .name("authx-timer".to_owned())
            .spawn(move || receive.recv().map(|alert| self.run(&alert)))
            .expect("the system can start a thread for timers");
        let alert = Arc::new(Alert::new(thread.thread().clone()));
        // It can't have ended.
        let _ = send.send(Arc::clone(&alert));
        alert
    }

    fn run(&self, alert: &Alert) {
        loop {
            let mut thread = self.lock();
            if alert.sleeps().is_empty() {
                *thread = None;
                return;
            }
            drop(thread);
            alert.park();
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Option<Arc<Alert>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Completes at its deadline.
pub(crate) struct Sleeper {
    timers: &'static Timers,
    key: Key,
    /// Of the thread that waits for the deadline, from the first poll on.
    alert: Option<Arc<Alert>>,
}

impl Future for Sleeper {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.key.0 {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let (alert, replaced) = if let Some(alert) = Alert::of(&waker) {
            let replaced = alert.insert(self.key, waker);
            (alert, replaced)
        } else {
            self.timers.insert(self.key, waker)
        };
        drop(replaced);
        match self.alert.replace(Arc::clone(&alert)) {
            Some(other) if !Arc::ptr_eq(&other, &alert) => other.remove(self.key),
            _ => {}
        }
        Poll::Pending
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        if let Some(alert) = &self.alert {
            alert.remove(self.key);
        }
    }
}
