//! What the cases share.

use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::BoxFuture;
use redis_authx::testing::millis;
use redis_authx::{Clock, Sleep, Spawner};

/// Long enough never to matter.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Runs a test, and gives it up when it hangs.
pub(crate) fn within_a_minute(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel();
    let test = thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    if ended.recv_timeout(MINUTE) == Err(RecvTimeoutError::Timeout) {
        panic!("it hangs: given up after a minute");
    }
    if let Err(panic) = test.join() {
        resume_unwind(panic);
    }
}

/// Waits until `condition` holds; that it ever does is what is tested.
pub(crate) async fn until(clock: &impl Clock, condition: impl Fn() -> bool + Send) {
    while !condition() {
        clock.sleep_until(clock.now() + millis(2)).await;
    }
}

/// Repeats an attempt with longer and longer waits for as long as it says that
/// the machine was too busy for it to show anything.
pub(crate) async fn undisturbed<F>(attempt: impl Fn(Duration) -> F + Send)
where
    F: Future<Output = Result<(), TooBusy>> + Send,
{
    let mut wait = millis(20);
    while attempt(wait).await.is_err() {
        wait *= 2;
    }
}

/// A deadline passed before everything was in place.
pub(crate) struct TooBusy;

impl TooBusy {
    pub(crate) fn unless(in_time: bool) -> Result<(), Self> {
        if in_time { Ok(()) } else { Err(Self) }
    }
}

/// Spawns a task; its result.
pub(crate) fn task<T: Send + 'static>(
    spawner: &impl Spawner,
    task: impl Future<Output = T> + Send + 'static,
) -> BoxFuture<'static, T> {
    let (done, result) = oneshot::channel();
    spawner
        .spawn(Box::pin(async move {
            let _ = done.send(task.await);
        }))
        .expect("the runtime runs the task");
    Box::pin(async { result.await.expect("the task ran to its end") })
}

/// Runs `work` on a thread of its own; its result.
pub(crate) fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> + Send {
    let (done, result) = oneshot::channel();
    thread::spawn(move || {
        let _ = done.send(work());
    });
    async { result.await.expect("the thread ran to its end") }
}

pub(crate) fn poll_with(sleep: &mut Sleep, waker: &Waker) -> Poll<()> {
    Pin::new(sleep).poll(&mut Context::from_waker(waker))
}

/// A waker that counts.
#[derive(Default)]
pub(crate) struct Bell(AtomicUsize);

impl Bell {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let bell = Arc::new(Self::default());
        (Arc::clone(&bell), Waker::from(bell))
    }

    pub(crate) fn rung(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Tells whether what it was put into still exists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Alive(Arc<()>);

impl Alive {
    pub(crate) fn watch(&self) -> Watch {
        Watch(Arc::downgrade(&self.0))
    }
}

#[derive(Clone)]
pub(crate) struct Watch(Weak<()>);

impl Watch {
    pub(crate) fn gone(&self) -> bool {
        self.0.strong_count() == 0
    }
}
