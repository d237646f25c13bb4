//! Readers that wait for a token: they do wait, and leave nothing behind.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::task::Context;
use std::thread::{self, ThreadId};
use std::time::{Instant, SystemTime};

use futures::FutureExt;
use futures::task::{ArcWake, waker};
use redis_authx::testing::{ManualClock, hours, minutes};
use redis_authx::{Clock, Sleep, TokenManager};

use crate::support::{Gate, Source, numbered, rig};

struct Stuck;

impl ArcWake for Stuck {
    fn wake_by_ref(_: &Arc<Self>) {}
}

#[test]
fn a_get_that_is_dropped_while_it_waits_leaves_no_waker_behind() {
    let rig = rig(Gate::default());
    let task = Arc::new(Stuck);
    let waker = waker(Arc::clone(&task));
    let mut cx = Context::from_waker(&waker);
    let timers = rig.time.timers();
    let credentials = rig.manager.credentials();
    let mut get = Box::pin(credentials.get(minutes(1)));
    assert!(get.poll_unpin(&mut cx).is_pending());
    assert!(Arc::strong_count(&task) > 2, "it waits");
    assert_eq!(rig.time.timers(), timers + 1);
    drop(get);
    assert_eq!(Arc::strong_count(&task), 2, "the waker's and our own");
    assert_eq!(rig.time.timers(), timers);
}

/// A manual clock that tells which threads look at the wall clock.
#[derive(Clone, Debug)]
struct Watched(ManualClock, Sender<ThreadId>);

impl Clock for Watched {
    fn now(&self) -> Instant {
        self.0.now()
    }

    fn wall(&self) -> SystemTime {
        let _ = self.1.send(thread::current().id());
        self.0.wall()
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        self.0.sleep_until(deadline)
    }
}

#[test]
fn get_blocking_waits_for_what_takes_an_expired_tokens_place() {
    let time = ManualClock::new();
    let (looked, looks) = channel();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let (manager, driver) = TokenManager::builder(source).build(&Watched(time.clone(), looked));
    let mut run = time.run(driver);
    run.advance(minutes(1));
    time.suspend(hours(2));
    let credentials = manager.credentials();
    let reader = thread::spawn(move || credentials.get_blocking(hours(1)));
    // It looks at the token that it finds, and at the same one again once it
    // is to be woken for the next: from then on it waits.
    let id = reader.thread().id();
    assert_eq!(looks.iter().filter(|by| *by == id).take(2).count(), 2);
    run.settle();
    let token = reader.join().expect("no panic").expect("a token");
    assert_eq!(token.password(), "token-2");
}
