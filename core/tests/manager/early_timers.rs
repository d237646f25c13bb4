//! The clock decides what time it is, not a timer that fires too soon.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};
use std::time::{Duration, Instant, SystemTime};

use crate::support::clocks::Impatient;
use futures::task::{ArcWake, waker};
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{Clock, Sleep, TokenManager};

#[test]
fn nothing_is_requested_before_its_time() {
    let clock = Impatient {
        time: ManualClock::new(),
        early: Arc::default(),
    };
    let script = ScriptedProvider::new()
        .token("a", hours(1))
        .token("b", hours(1));
    let _manager = TokenManager::builder(script.clone())
        .refresh_policy(crate::support::exact(|policy| policy))
        .spawn(clock.clone())
        .unwrap();
    let mut run = clock.time.run(async {});
    run.advance(minutes(45) - Duration::from_millis(1));
    assert_eq!(script.requests(), 1);
    run.advance(Duration::from_millis(1));
    assert_eq!(script.requests(), 2);
    assert!(clock.early.load(Ordering::SeqCst) > 20);
}

/// Counts its timers, and fires each at once.
#[derive(Clone, Debug)]
struct AtOnce {
    time: ManualClock,
    timers: Arc<AtomicUsize>,
}

impl Clock for AtOnce {
    fn now(&self) -> Instant {
        self.time.now()
    }

    fn wall(&self) -> SystemTime {
        self.time.wall()
    }

    fn sleep_until(&self, _: Instant) -> Sleep {
        let timers = self.timers.fetch_add(1, Ordering::SeqCst) + 1;
        assert!(timers < 1000, "the driver spins");
        Sleep::new(ready(()))
    }
}

#[derive(Default)]
struct WakeUps(AtomicUsize);

impl ArcWake for WakeUps {
    fn wake_by_ref(wake_ups: &Arc<Self>) {
        wake_ups.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_timer_that_keeps_firing_early_lets_other_tasks_run() {
    let clock = AtOnce {
        time: ManualClock::new(),
        timers: Arc::default(),
    };
    let script = ScriptedProvider::new().token("a", hours(1));
    let (manager, mut driver) = TokenManager::builder(script.clone()).build(&clock);
    let wake_ups = Arc::new(WakeUps::default());
    let waker: Waker = waker(Arc::clone(&wake_ups));
    for poll in 1..=10 {
        let polled = Pin::new(&mut driver).poll(&mut Context::from_waker(&waker));
        assert!(polled.is_pending());
        // Set again once, then it yields and is polled again.
        assert_eq!(clock.timers.load(Ordering::SeqCst), 2 * poll);
        assert_eq!(wake_ups.0.load(Ordering::SeqCst), poll);
    }
    assert_eq!(script.requests(), 1);
    assert!(manager.credentials().current().is_ok());
}
