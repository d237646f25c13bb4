//! A latest-value channel: readers see the newest value, never a queue.
//!
//! A reader that is stuck or slow costs one slot and never holds up others.

#[cfg(all(loom, test))]
mod models;
pub(crate) mod sync;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll, Waker};

use slab::Slab;

use sync::{ArcSwap, Mutex, MutexGuard};

/// The published value and the readers that wait for the next one.
#[derive(Debug)]
pub(crate) struct Watch<T> {
    /// Replaced under the lock, so that a reader which saw the old one and then
    /// takes the lock is woken.
    latest: ArcSwap<Latest<T>>,
    waiting: Mutex<Slab<Option<Waker>>>,
}

#[derive(Debug)]
struct Latest<T> {
    value: T,
    /// Increases with every publication.
    version: u64,
}

/// One reader's position: the version it has seen, and its slot while it waits.
#[derive(Debug, Default)]
pub(crate) struct Cursor {
    seen: u64,
    slot: Option<usize>,
}

impl Cursor {
    pub(crate) const fn new() -> Self {
        Self {
            seen: 0,
            slot: None,
        }
    }

    /// A cursor that has seen the same version, and does not wait.
    pub(crate) const fn fork(&self) -> Self {
        Self {
            seen: self.seen,
            slot: None,
        }
    }
}

impl<T> Watch<T> {
    pub(crate) fn new(value: T) -> Self {
        Self {
            latest: ArcSwap::from_pointee(Latest { value, version: 0 }),
            waiting: Mutex::new(Slab::new()),
        }
    }

    /// Replaces the value and wakes every reader that waits.
    pub(crate) fn publish(&self, value: T) {
        self.publish_with(|_| value);
    }

    /// Wakes every reader that waits, with the value as it is.
    pub(crate) fn republish(&self)
    where
        T: Clone,
    {
        self.publish_with(T::clone);
    }

    fn publish_with(&self, value: impl FnOnce(&T) -> T) {
        let mut waiting = self.lock();
        let latest = self.latest.load();
        let (value, version) = (value(&latest.value), latest.version + 1);
        let old = self.latest.swap(Arc::new(Latest { value, version }));
        let wakers: Vec<Waker> = waiting
            .iter_mut()
            .filter_map(|(_, slot)| slot.take())
            .collect();
        // Outside the lock: wakers, and what is dropped, may run anything. One
        // that panics must not keep the others asleep.
        drop(waiting);
        drop((latest, old));
        for waker in wakers {
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// Calls `read` with the latest value. Wait-free.
    pub(crate) fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        read(&self.latest.load().value)
    }

    /// Marks the latest value as seen.
    pub(crate) fn see(&self, cursor: &mut Cursor) {
        cursor.seen = self.latest.load().version;
    }

    /// Calls `read` with the latest value, once it is one that `cursor` has
    /// not seen.
    pub(crate) fn poll_changed<R>(
        &self,
        cursor: &mut Cursor,
        cx: &Context<'_>,
        read: impl FnOnce(&T) -> R,
    ) -> Poll<R> {
        let mut latest = self.latest.load();
        if latest.version == cursor.seen {
            let waker = cx.waker().clone();
            let mut waiting = self.lock();
            // Read again under the lock: a value may have been published in between.
            latest = self.latest.load();
            if latest.version == cursor.seen {
                let old = Self::wait(&mut waiting, cursor, waker);
                drop(waiting);
                drop(old);
                return Poll::Pending;
            }
        }
        cursor.seen = latest.version;
        Poll::Ready(read(&latest.value))
    }

    /// Takes or keeps a slot; returns the waker that was in it.
    fn wait(waiting: &mut Slab<Option<Waker>>, cursor: &mut Cursor, waker: Waker) -> Option<Waker> {
        if let Some(slot) = cursor.slot.and_then(|slot| waiting.get_mut(slot)) {
            return slot.replace(waker);
        }
        cursor.slot = Some(waiting.insert(Some(waker)));
        None
    }

    /// Gives up the slot of a reader that no longer waits.
    pub(crate) fn leave(&self, cursor: &mut Cursor) {
        let Some(slot) = cursor.slot.take() else {
            return;
        };
        let waker = self.lock().try_remove(slot);
        drop(waker);
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Option<Waker>>> {
        // No code under the lock can panic half-way, so a poisoned lock is intact.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
