use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use redis_authx::{Token, TokenManager, provider_fn};

use super::{Alert, run};
use crate::timer::{Sleeper, Timers};
use crate::{TIMERS, Threads};

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(5);

/// One wake-up for each deadline, and none of another thread.
#[test]
fn a_task_waits_on_its_own_thread_and_is_polled_once_for_each_deadline() {
    static TIMERS: Timers = Timers::new();
    const SLEEPS: usize = 20;
    let polls = polls(async {
        for _ in 0..SLEEPS {
            let mut sleep = TIMERS.sleep_until(Instant::now() + SOON);
            poll_fn(|cx| {
                let poll = sleep.poll_unpin(cx);
                assert!(TIMERS.lock().is_none(), "the timer thread is used");
                poll
            })
            .await;
        }
    });
    // Fewer, if a deadline passes before its sleep is first polled.
    assert!(polls <= SLEEPS + 1, "{polls} polls for {SLEEPS} sleeps");
}

#[test]
fn a_dropped_sleep_does_not_wake_the_task() {
    static TIMERS: Timers = Timers::new();
    let polls = polls(async {
        let now = Instant::now();
        let mut dropped = TIMERS.sleep_until(now + SOON);
        poll_fn(|cx| {
            let _ = dropped.poll_unpin(cx);
            Poll::Ready(())
        })
        .await;
        drop(dropped);
        TIMERS.sleep_until(now + 4 * SOON).await;
    });
    assert!(polls <= 2, "{polls} polls for one sleep");
    assert!(TIMERS.lock().is_none());
}

#[test]
fn a_dropped_sleep_leaves_nothing_in_the_task() {
    static TIMERS: Timers = Timers::new();
    run(Box::pin(poll_fn(|cx| {
        let alert = Alert::of(cx.waker()).expect("the task's own waker");
        let mut sleep = TIMERS.sleep_until(Instant::now() + HOUR);
        for _ in 0..3 {
            assert!(sleep.poll_unpin(cx).is_pending());
        }
        assert_eq!(alert.sleeps().len(), 1);
        // It moves to the timer thread with another waker, and back.
        assert!(poll(&mut sleep, Waker::noop()).is_pending());
        assert!(alert.sleeps().is_empty());
        assert!(TIMERS.lock().is_some());
        assert!(sleep.poll_unpin(cx).is_pending());
        assert_eq!(alert.sleeps().len(), 1);
        drop(sleep);
        assert!(alert.sleeps().is_empty());
        Poll::Ready(())
    })));
}

/// As in an executor that a provider enters on the task's thread.
#[test]
fn a_task_that_blocks_is_woken_by_the_timer_thread() {
    struct Tell(Mutex<mpsc::Sender<()>>);

    impl Wake for Tell {
        fn wake(self: Arc<Self>) {
            self.0.lock().unwrap().send(()).unwrap();
        }
    }

    static TIMERS: Timers = Timers::new();
    run(Box::pin(async {
        let (tell, woken) = mpsc::channel();
        let waker = Waker::from(Arc::new(Tell(Mutex::new(tell))));
        let mut sleep = TIMERS.sleep_until(Instant::now() + SOON);
        if poll(&mut sleep, &waker).is_pending() {
            woken.recv_timeout(MINUTE).unwrap();
            assert!(poll(&mut sleep, &waker).is_ready());
        }
    }));
}

#[test]
fn a_manager_that_holds_a_token_needs_no_timer_thread() {
    let identity = provider_fn(|| async { Ok(Token::new("app", "s3cret").expires_in(HOUR)) });
    let (manager, mut driver) = TokenManager::builder(identity).build(&Threads);
    let mut polls = 0;
    run(Box::pin(poll_fn(move |cx| {
        let poll = driver.poll_unpin(cx);
        polls += 1;
        if polls == 1 {
            assert!(manager.credentials().current().is_ok());
            let alert = Alert::of(cx.waker()).expect("the task's own waker");
            assert_eq!(alert.sleeps().len(), 1, "the renewal");
            assert!(TIMERS.lock().is_none());
            manager.stop();
        }
        poll
    })));
}

/// What the task calls may park the thread, and be what the wake-up wakes.
#[test]
fn a_wake_up_is_not_lost_to_a_task_that_parks() {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut polls = 0;
        run(Box::pin(poll_fn(move |cx| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            thread::park(); // takes the token of that wake-up
            Poll::Pending
        })));
        done.send(())
    });
    ended.recv_timeout(MINUTE).unwrap();
}

/// Runs a task; how often it was polled.
fn polls(task: impl Future<Output = ()> + Send + 'static) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let polls = Arc::clone(&count);
    let mut task = Box::pin(task);
    run(Box::pin(poll_fn(move |cx| {
        polls.fetch_add(1, Ordering::SeqCst);
        task.as_mut().poll(cx)
    })));
    count.load(Ordering::SeqCst)
}

fn poll(sleep: &mut Sleeper, waker: &Waker) -> Poll<()> {
    sleep.poll_unpin(&mut Context::from_waker(waker))
}
