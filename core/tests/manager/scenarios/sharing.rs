use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;

use futures::FutureExt;
use futures::task::{ArcWake, waker};
use redis_authx::testing::{ManualClock, hours, minutes};

use crate::support::{Source, numbered, rig_with};

struct Count(AtomicUsize);

impl ArcWake for Count {
    fn wake_by_ref(arc: &Arc<Self>) {
        arc.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_reader_that_asks_twice_is_woken_once() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source, |builder| builder);
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = waker(Arc::clone(&count));
    let mut cx = Context::from_waker(&waker);
    let mut reader = rig.manager.credentials();
    assert!(reader.poll_changed(&mut cx).is_ready());
    for _ in 0..3 {
        assert!(reader.poll_changed(&mut cx).is_pending());
    }
    rig.run.advance(minutes(45));
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
}

#[test]
fn whoever_leaves_and_comes_back_gets_the_token_in_hand() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    for generation in 1..10 {
        let mut reader = rig.manager.credentials();
        let token = reader.changed().now_or_never().unwrap().unwrap();
        assert_eq!(token.generation(), generation);
        assert!(reader.changed().now_or_never().is_none());
        drop(reader);
        rig.run.advance(minutes(45));
    }
    assert_eq!(source.requests(), 10);
}

#[test]
fn two_managers_of_one_provider_are_apart() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut first = rig_with(&time, source.clone(), |builder| builder);
    let second = rig_with(&time, source.clone(), |builder| builder);
    assert_eq!(first.password().as_deref(), Some("token-1"));
    assert_eq!(second.password().as_deref(), Some("token-2"));
    let mut of_first = first.manager.credentials();
    let mut of_second = second.manager.credentials();
    for reader in [&mut of_first, &mut of_second] {
        reader.changed().now_or_never().unwrap().unwrap();
    }
    first.run.advance(minutes(45));
    for reader in [&mut of_first, &mut of_second] {
        let token = reader.changed().now_or_never().unwrap().unwrap();
        assert_eq!(token.generation(), 2);
    }
    second.manager.stop();
    drop(second);
    first.run.advance(minutes(45));
    assert!(of_first.changed().now_or_never().unwrap().is_ok());
    assert!(of_second.changed().now_or_never().unwrap().is_err());
    assert_eq!(source.requests(), 5);
}
