//! Models of what is not made for loom.

use std::sync::Arc;
use std::task::Waker;

use loom::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use loom::sync::{Mutex, MutexGuard};

/// loom's, but for stores: it lets a `swap` miss a store that came before it,
/// which no memory model does. Stored by a `swap`, the two have one order.
#[derive(Debug, Default)]
pub(crate) struct AtomicBool(loom::sync::atomic::AtomicBool);

impl AtomicBool {
    pub(crate) fn load(&self, order: Ordering) -> bool {
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: bool, order: Ordering) {
        self.0.swap(value, order);
    }

    pub(crate) fn swap(&self, value: bool, order: Ordering) -> bool {
        self.0.swap(value, order)
    }
}

/// As weak as `arc_swap::ArcSwap` may be: a load shows whatever the memory
/// model lets an acquire load show, old values included. When values are
/// dropped is not modelled.
#[derive(Debug)]
pub(crate) struct ArcSwap<T> {
    newest: AtomicUsize,
    /// Not loom's: never waited for, since no thread is interrupted in it.
    values: std::sync::Mutex<Vec<Arc<T>>>,
}

impl<T> ArcSwap<T> {
    pub(crate) fn from_pointee(value: T) -> Self {
        Self {
            newest: AtomicUsize::new(0),
            values: std::sync::Mutex::new(vec![Arc::new(value)]),
        }
    }

    pub(crate) fn load(&self) -> Arc<T> {
        self.at(self.newest.load(Ordering::Acquire))
    }

    pub(crate) fn swap(&self, value: Arc<T>) -> Arc<T> {
        let index = {
            let mut values = self.values.lock().expect("whole");
            values.push(value);
            values.len() - 1
        };
        self.at(self.newest.swap(index, Ordering::AcqRel))
    }

    fn at(&self, index: usize) -> Arc<T> {
        Arc::clone(&self.values.lock().expect("whole")[index])
    }
}

/// As `futures::task::AtomicWaker` is documented: a thread that registers and
/// then looks does not miss one that changes something and then wakes.
#[derive(Debug)]
pub(crate) struct AtomicWaker(Mutex<Option<Waker>>);

impl AtomicWaker {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(None))
    }

    pub(crate) fn register(&self, waker: &Waker) {
        let waker = waker.clone();
        let old = self.0.lock().expect("whole").replace(waker);
        drop(old);
    }

    pub(crate) fn take(&self) -> Option<Waker> {
        self.0.lock().expect("whole").take()
    }

    pub(crate) fn wake(&self) {
        self.take().into_iter().for_each(Waker::wake);
    }
}
