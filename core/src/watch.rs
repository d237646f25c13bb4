//! A latest-value channel: readers see the newest value, never a queue.
//!
//! A reader that is stuck, slow or gone costs one slot and holds up nobody.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use arc_swap::ArcSwap;
use slab::Slab;

/// The published value and those who wait for the next one.
#[derive(Debug)]
pub(crate) struct Watch<T> {
    value: ArcSwap<T>,
    /// Counts what readers are woken for. Raised after the value is in place
    /// and under the lock, so that whoever saw the old count and then holds
    /// the lock is woken.
    version: AtomicU64,
    waiting: Mutex<Slab<Option<Waker>>>,
}

/// One reader's place: what it has seen, and its slot while it waits.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    seen: u64,
    slot: Option<usize>,
}

impl Cursor {
    /// A cursor that has seen the same, and does not wait.
    pub(crate) const fn twin(&self) -> Self {
        Self {
            seen: self.seen,
            slot: None,
        }
    }
}

impl<T> Watch<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            value: ArcSwap::from_pointee(value),
            version: AtomicU64::new(0),
            waiting: Mutex::new(Slab::new()),
        }
    }

    /// Replaces the value and wakes every reader that waits.
    pub(crate) fn publish(&self, value: T) {
        // The old value is dropped here, outside the lock.
        self.value.store(Arc::new(value));
        let wakers: Vec<Waker> = {
            let mut waiting = self.lock();
            self.version.fetch_add(1, Ordering::Release);
            waiting
                .iter_mut()
                .filter_map(|(_, slot)| slot.take())
                .collect()
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Replaces the value without telling anyone.
    pub(crate) fn amend(&self, value: T) {
        self.value.store(Arc::new(value));
    }

    /// Calls `read` with the latest value. Wait-free.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.value.load())
    }

    /// Ready once a value was published that `cursor` has not seen.
    pub(crate) fn poll_changed(&self, cursor: &mut Cursor, cx: &Context<'_>) -> Poll<()> {
        if self.catch_up(cursor) {
            return Poll::Ready(());
        }
        let mut waiting = self.lock();
        // Once more under the lock: a value may have come in between.
        if self.catch_up(cursor) {
            return Poll::Ready(());
        }
        match cursor.slot.and_then(|slot| waiting.get_mut(slot)) {
            Some(Some(waker)) => waker.clone_from(cx.waker()),
            Some(slot) => *slot = Some(cx.waker().clone()),
            None => cursor.slot = Some(waiting.insert(Some(cx.waker().clone()))),
        }
        Poll::Pending
    }

    /// Gives up the slot of a reader that no longer waits.
    pub(crate) fn leave(&self, cursor: &mut Cursor) {
        let Some(slot) = cursor.slot.take() else {
            return;
        };
        let waker = self.lock().try_remove(slot);
        // Dropped outside the lock: a waker may run anything.
        drop(waker);
    }

    fn catch_up(&self, cursor: &mut Cursor) -> bool {
        let version = self.version.load(Ordering::Acquire);
        let news = version != cursor.seen;
        cursor.seen = version;
        news
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Option<Waker>>> {
        // Nothing in the lock can panic half-way; a poisoned one is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
