use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::{Sleeper, Timers};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_thread_ends_when_nobody_has_slept_for_a_while_and_comes_back() {
    static TIMERS: Timers = Timers::new(Duration::from_millis(20));
    assert!(!TIMERS.lock().running, "nobody has slept yet");

    let mut long = TIMERS.sleep_until(Instant::now() + HOUR);
    assert!(poll(&mut long, Waker::noop()).is_pending());
    assert!(TIMERS.lock().running);
    drop(long);
    until(|| !TIMERS.lock().running);

    crate::task::run(Box::pin(
        TIMERS.sleep_until(Instant::now() + Duration::from_millis(5)),
    ));
    until(|| !TIMERS.lock().running);
    assert!(TIMERS.lock().asleep.is_empty());
}

#[test]
fn the_thread_stays_while_somebody_sleeps() {
    static TIMERS: Timers = Timers::new(Duration::from_millis(1));
    let mut long = TIMERS.sleep_until(Instant::now() + HOUR);
    assert!(poll(&mut long, Waker::noop()).is_pending());
    thread::sleep(Duration::from_millis(50));
    assert!(TIMERS.lock().running);
}

#[test]
fn a_dropped_sleep_leaves_nothing() {
    static TIMERS: Timers = Timers::new(HOUR);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut sleep = TIMERS.sleep_until(Instant::now() + HOUR);
    for _ in 0..3 {
        assert!(poll(&mut sleep, &waker).is_pending());
    }
    assert_eq!(TIMERS.lock().asleep.len(), 1);
    drop((sleep, waker));
    assert!(TIMERS.lock().asleep.is_empty());
    assert_eq!(Arc::strong_count(&bell), 1);
    assert_eq!(bell.0.load(Ordering::SeqCst), 0);
}

#[test]
fn a_waker_that_panics_holds_up_nobody() {
    struct Grenade;

    impl Wake for Grenade {
        fn wake(self: Arc<Self>) {
            panic!("this waker does");
        }
    }

    static TIMERS: Timers = Timers::new(HOUR);
    // Not over before both are polled.
    let soon = Instant::now() + Duration::from_secs(1);
    let mut first = TIMERS.sleep_until(soon);
    let _ = poll(&mut first, &Waker::from(Arc::new(Grenade)));

    let mut second = TIMERS.sleep_until(soon + Duration::from_millis(1));
    let bell = Arc::new(Bell::default());
    let _ = poll(&mut second, &Waker::from(Arc::clone(&bell)));
    until(|| bell.0.load(Ordering::SeqCst) > 0);
    assert!(poll(&mut first, Waker::noop()).is_ready());
}

/// What the task calls may park the thread, and be what the wake-up wakes.
#[test]
fn a_wake_up_is_not_lost_to_a_task_that_parks() {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut polls = 0;
        crate::task::run(Box::pin(std::future::poll_fn(move |cx| {
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
    ended.recv_timeout(Duration::from_secs(60)).unwrap();
}

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(sleep: &mut Sleeper, waker: &Waker) -> Poll<()> {
    std::pin::Pin::new(sleep).poll(&mut Context::from_waker(waker))
}

/// Waits for it; gives up after a minute.
fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "it never came");
        thread::sleep(Duration::from_millis(1));
    }
}
