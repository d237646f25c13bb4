use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Context;

use futures_util::future::BoxFuture;
use futures_util::task::{ArcWake, waker};

/// Polls tasks in the order in which they were woken, on the calling thread.
#[derive(Default)]
pub(super) struct Executor {
    ready: Arc<Queue>,
    tasks: Mutex<Vec<Weak<Task>>>,
    runs: AtomicUsize,
}

type Queue = Mutex<VecDeque<Arc<Task>>>;

struct Task {
    /// Empty while it is polled and once it has ended.
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    queued: AtomicBool,
    ready: Weak<Queue>,
}

impl Executor {
    pub(super) fn spawn(&self, future: BoxFuture<'static, ()>) {
        let task = Arc::new(Task {
            future: Mutex::new(Some(future)),
            queued: false.into(),
            ready: Arc::downgrade(&self.ready),
        });
        let mut tasks = lock(&self.tasks);
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&task));
        drop(tasks);
        ArcWake::wake_by_ref(&task);
    }

    pub(super) fn enter(&self) {
        self.runs.fetch_add(1, Ordering::SeqCst);
    }

    /// Drops every task once no [`Run`](super::Run) is left: tasks hold the clock,
    /// and the clock their wakers.
    pub(super) fn leave(&self) {
        if self.runs.fetch_sub(1, Ordering::SeqCst) > 1 {
            return;
        }
        let tasks = std::mem::take(&mut *lock(&self.tasks));
        for task in tasks.iter().filter_map(Weak::upgrade) {
            let future = lock(&task.future).take();
            drop(future);
        }
        lock(&self.ready).clear();
    }

    fn next(&self) -> Option<Arc<Task>> {
        let mut ready = lock(&self.ready);
        let task = ready.pop_front()?;
        task.queued.store(false, Ordering::SeqCst);
        Some(task)
    }

    /// Polls the task that was woken first; returns whether there was one.
    pub(super) fn poll_one(&self) -> bool {
        let Some(task) = self.next() else {
            return false;
        };
        let Some(mut future) = lock(&task.future).take() else {
            return true;
        };
        let waker = waker(Arc::clone(&task));
        if future
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            *lock(&task.future) = Some(future);
        }
        true
    }
}

impl ArcWake for Task {
    fn wake_by_ref(task: &Arc<Self>) {
        let Some(ready) = task.ready.upgrade() else {
            return;
        };
        // Marked and queued under one lock, so that two threads that wake the task
        // at once can't both skip the queue.
        let mut ready = lock(&ready);
        if !task.queued.swap(true, Ordering::SeqCst) {
            ready.push_back(Arc::clone(task));
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_that_have_ended_are_forgotten() {
        let executor = Executor::default();
        for _ in 0..10 {
            executor.spawn(Box::pin(async {}));
            while executor.poll_one() {}
        }
        assert_eq!(lock(&executor.tasks).len(), 1, "the latest");
    }
}
