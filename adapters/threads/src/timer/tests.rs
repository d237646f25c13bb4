use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use super::{Sleeper, Timers};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_thread_ends_with_the_last_sleep_and_is_started_again() {
    static TIMERS: Timers = Timers::new();
    assert!(TIMERS.lock().is_none());
    for _ in 0..2 {
        let mut sleep = TIMERS.sleep_until(Instant::now() + HOUR);
        assert!(poll(&mut sleep, Waker::noop()).is_pending());
        assert!(TIMERS.lock().is_some());
        drop(sleep);
        until(|| TIMERS.lock().is_none());
    }
}

#[test]
fn a_dropped_sleep_leaves_nothing() {
    static TIMERS: Timers = Timers::new();
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut sleep = TIMERS.sleep_until(Instant::now() + HOUR);
    for _ in 0..3 {
        assert!(poll(&mut sleep, &waker).is_pending());
    }
    let thread = TIMERS.lock().clone().unwrap();
    assert_eq!(thread.sleeps().len(), 1);
    drop((sleep, waker));
    assert!(thread.sleeps().is_empty());
    assert_eq!(Arc::strong_count(&bell), 1);
    assert_eq!(bell.0.load(Ordering::SeqCst), 0);
}

#[test]
fn a_waker_that_panics_does_not_hold_up_the_others() {
    struct Grenade;

    impl Wake for Grenade {
        fn wake(self: Arc<Self>) {
            panic!("this waker does");
        }
    }

    static TIMERS: Timers = Timers::new();
    // Late enough that both are polled before.
    let soon = Instant::now() + Duration::from_secs(1);
    let mut first = TIMERS.sleep_until(soon);
    let _ = poll(&mut first, &Waker::from(Arc::new(Grenade)));

    let mut second = TIMERS.sleep_until(soon + Duration::from_millis(1));
    let bell = Arc::new(Bell::default());
    let _ = poll(&mut second, &Waker::from(Arc::clone(&bell)));
    until(|| TIMERS.lock().is_none());
    assert_eq!(bell.0.load(Ordering::SeqCst), 1);
    assert!(poll(&mut first, Waker::noop()).is_ready());
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

/// Waits until `condition` holds; panics after a minute.
fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(
            Instant::now() < deadline,
            "it did not become true within a minute"
        );
        thread::sleep(Duration::from_millis(1));
    }
}
