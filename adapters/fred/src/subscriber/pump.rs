//! Takes what fred broadcasts, at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Waker};

use futures_util::future::BoxFuture;
use futures_util::task::{ArcWake, waker};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::unconstrained;

/// Polls a future there and then, on the thread that wakes it.
///
/// fred's broadcast holds a receiver's newest messages only, 32 by default, and
/// fred reads a burst of thousands without a pause: a task of its own, which runs
/// when the runtime gets to it, would lose most of them. tokio wakes who waits for
/// a broadcast at the end of `send`, when it holds no lock. So a future that is
/// polled by its waker takes every message before fred reads the next.
///
/// The future must be one that is quick and wakes nobody but itself.
pub(super) struct Pump {
    /// Calls that the poll under way has yet to make up for, and itself.
    calls: AtomicUsize,
    work: Mutex<Option<BoxFuture<'static, ()>>>,
    waker: Waker,
}

/// Weak: what waits must not keep alive what it waits in.
struct Prod(Weak<Pump>);

impl ArcWake for Prod {
    fn wake_by_ref(prod: &Arc<Self>) {
        if let Some(pump) = prod.0.upgrade() {
            pump.run();
        }
    }
}

impl Pump {
    /// Starts it. It ends with its future, or when it is dropped.
    pub(super) fn start(work: impl Future<Output = ()> + Send + 'static) -> Arc<Self> {
        // A task's budget is for what it awaits, which this is not.
        let work: BoxFuture<'static, ()> = Box::pin(unconstrained(work));
        let pump = Arc::new_cyclic(|pump| Self {
            calls: AtomicUsize::new(0),
            work: Mutex::new(Some(work)),
            waker: waker(Arc::new(Prod(Weak::clone(pump)))),
        });
        pump.run();
        pump
    }

    fn run(&self) {
        // Whoever comes while it is polled has it polled once more.
        if self.calls.fetch_add(1, Ordering::AcqRel) > 0 {
            return;
        }
        let mut calls = 1;
        loop {
            self.poll();
            let settled =
                self.calls
                    .compare_exchange(calls, 0, Ordering::AcqRel, Ordering::Acquire);
            match settled {
                Ok(_) => return,
                Err(now) => calls = now,
            }
        }
    }

    fn poll(&self) {
        let mut slot = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(work) = &mut *slot
            && work
                .as_mut()
                .poll(&mut Context::from_waker(&self.waker))
                .is_ready()
        {
            *slot = None;
        }
    }
}

/// Gives all that a receiver gets to `take`: `None` where something is missing.
pub(super) async fn each<T: Clone>(mut receiver: Receiver<T>, take: impl Fn(Option<T>)) {
    loop {
        match receiver.recv().await {
            Ok(item) => take(Some(item)),
            Err(RecvError::Lagged(_)) => take(None),
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;
    use std::thread;

    use tokio::sync::broadcast;

    use super::*;

    /// However small the broadcast's memory.
    #[test]
    fn every_message_is_taken_in_send() {
        let (sender, receiver) = broadcast::channel(1);
        let taken = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&taken);
        let pump = Pump::start(each(receiver, move |number: Option<u64>| {
            assert_eq!(number, Some(count.fetch_add(1, Ordering::SeqCst)));
        }));
        for number in 0..1000 {
            sender.send(number).unwrap();
            assert_eq!(taken.load(Ordering::SeqCst), number + 1);
        }
        drop(pump);
        assert_eq!(sender.receiver_count(), 0);
    }

    /// Nobody waits for another's poll, and none is forgotten.
    #[test]
    fn messages_of_several_threads_are_all_taken() {
        let (sender, receiver) = broadcast::channel(1024);
        let taken = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&taken);
        let pump = Pump::start(each(receiver, move |_: Option<()>| {
            count.fetch_add(1, Ordering::SeqCst);
        }));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        sender.send(()).unwrap();
                    }
                });
            }
        });
        assert_eq!(taken.load(Ordering::SeqCst), 800);
        drop(sender);
        assert!(pump.work.lock().unwrap().is_none(), "it has ended");
    }
}
