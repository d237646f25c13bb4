//! Work that blocks its thread, on threads that are there for it alone.
//!
//! Tokens are minutes to hours apart: a thread is begun for each piece of work,
//! and none is kept for the next.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{fmt, thread};

use futures_channel::oneshot;
use redis_authx::{ErrorKind, ProviderError};

use crate::http::{HttpError, HttpErrorKind};

/// Work that hangs, such as reading a file of a dead file server, does not gather
/// threads without end.
static PLACES: Places = Places {
    most: 500,
    taken: AtomicUsize::new(0),
};

/// There are too many threads, of this crate or of the machine.
#[derive(Debug)]
pub(crate) struct NoThread;

/// Does `work` on a thread of its own. Dropping the future leaves it to end by
/// itself. A panic is passed on.
pub(crate) async fn unblock<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<NoThread> + Send + 'static,
{
    let result = Arc::new(Mutex::new(None));
    let place = Arc::clone(&result);
    let job = move || {
        let done = work();
        *lock(&place) = Some(done);
    };
    to_its_end(Box::new(job)).await?;
    let result = lock(&result).take();
    result.unwrap_or_else(|| unreachable!("the work came to its end"))
}

/// What of [`unblock`] is alike for every result.
async fn to_its_end(work: Box<dyn FnOnce() + Send>) -> Result<(), NoThread> {
    let (done, result) = oneshot::channel();
    let job = move || {
        // Nobody may be waiting any more.
        let _ = done.send(catch_unwind(AssertUnwindSafe(work)));
    };
    detached(Box::new(job))?;
    match result.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(panic)) => resume_unwind(panic),
        Err(oneshot::Canceled) => unreachable!("the thread sends before it ends"),
    }
}

fn lock<T>(result: &Mutex<Option<T>>) -> MutexGuard<'_, Option<T>> {
    result.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work` on a thread of its own, whoever waits.
pub(crate) fn detached(work: Box<dyn FnOnce() + Send>) -> Result<(), NoThread> {
    let place = PLACES.take().ok_or(NoThread)?;
    let job = move || {
        let _place = place;
        work();
    };
    let thread = thread::Builder::new().name("redis-authx-entraid".to_owned());
    thread.spawn(job).map(drop).map_err(|_| NoThread)
}

struct Places {
    most: usize,
    taken: AtomicUsize,
}

/// Given back by its drop.
struct Place(&'static Places);

impl Places {
    fn take(&'static self) -> Option<Place> {
        let more = |taken| (taken < self.most).then_some(taken + 1);
        let before = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        before.ok().map(|_| Place(self))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Display for NoThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no thread could be started for it: too many are at work")
    }
}

impl std::error::Error for NoThread {}

impl From<NoThread> for HttpError {
    fn from(error: NoThread) -> Self {
        Self::new(HttpErrorKind::Other, error)
    }
}

impl From<NoThread> for ProviderError {
    fn from(error: NoThread) -> Self {
        Self::new(ErrorKind::Other).with_source(error)
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn work_brings_its_result() {
        let work = || Ok::<_, ProviderError>("done".to_owned());
        assert_eq!(block_on(unblock(work)).expect("a result"), "done");
    }

    #[test]
    #[should_panic(expected = "no luck")]
    fn a_panic_is_passed_on() {
        let work = || -> Result<(), ProviderError> { panic!("no luck") };
        let _ = block_on(unblock(work));
    }

    #[test]
    fn detached_work_is_done() {
        let (done, result) = oneshot::channel();
        detached(Box::new(move || done.send(7).expect("somebody waits"))).expect("a thread");
        assert_eq!(block_on(result), Ok(7));
    }

    #[test]
    fn there_are_not_more_than_may_be() {
        static TWO: Places = Places {
            most: 2,
            taken: AtomicUsize::new(0),
        };
        let first = TWO.take().expect("a place");
        let _second = TWO.take().expect("a place");
        assert!(TWO.take().is_none());
        drop(first);
        assert!(TWO.take().is_some());
    }
}
