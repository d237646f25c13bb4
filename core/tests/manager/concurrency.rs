//! What callers' own code may do while the manager calls it: wakers and
//! observers that panic, unsubscribe, read, refresh, stop, or drop the last
//! handle. And all of it at once, on threads.
//!
//! The orders in which threads can meet are gone through by loom, in
//! `src/watch/models.rs`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Context;
use std::thread;

use futures::executor::block_on;
use futures::task::{ArcWake, waker};
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{Credentials, Event, ManagerState, TokenError, TokenManager};

use crate::support::{Rig, Source, numbered, rig_with};

fn hourly() -> Rig {
    hourly_with(|_: &Event| {})
}

fn hourly_with(observer: impl Fn(&Event) + Send + Sync + 'static) -> Rig {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    rig_with(&time, source, |builder| builder.observer(observer))
}

/// A waker that runs a closure.
struct OnWake<F>(F);

impl<F: Fn() + Send + Sync + 'static> ArcWake for OnWake<F> {
    fn wake_by_ref(arc: &Arc<Self>) {
        (arc.0)();
    }
}

/// Has `credentials` wait, with a waker that runs `on_wake`.
fn waits(credentials: &mut Credentials, on_wake: impl Fn() + Send + Sync + 'static) {
    let waker = waker(Arc::new(OnWake(on_wake)));
    let mut cx = Context::from_waker(&waker);
    while credentials.poll_changed(&mut cx).is_ready() {}
}

#[test]
fn a_waker_that_panics_takes_no_wake_up_from_others_and_does_not_end_the_manager() {
    let mut rig = hourly();
    let woken = Arc::new(AtomicUsize::new(0));
    let mut readers: Vec<Credentials> = (0..5).map(|_| rig.manager.credentials()).collect();
    for (number, reader) in readers.iter_mut().enumerate() {
        let woken = Arc::clone(&woken);
        waits(reader, move || {
            assert!(number % 2 == 0, "a waker");
            woken.fetch_add(1, Ordering::SeqCst);
        });
    }
    rig.run.advance(minutes(45));
    assert_eq!(woken.load(Ordering::SeqCst), 3);
    assert_eq!(rig.password().as_deref(), Some("token-2"));
    rig.run.advance(minutes(45));
    assert_eq!(rig.password().as_deref(), Some("token-3"));
}

#[test]
fn a_waker_may_unsubscribe_itself_and_others_and_subscribe_anew() {
    let mut rig = hourly();
    let mut first = rig.manager.credentials();
    let second: Arc<Mutex<Option<Credentials>>> = Arc::default();
    let third: Arc<Mutex<Option<Credentials>>> = Arc::default();
    let (drops, takes) = (Arc::clone(&second), Arc::clone(&third));
    let manager = rig.manager.clone();
    waits(&mut first, move || {
        drops.lock().expect("whole").take();
        let mut anew = manager.credentials();
        waits(&mut anew, || {});
        takes.lock().expect("whole").replace(anew);
    });
    let mut waiting = rig.manager.credentials();
    let gone = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&gone);
    waits(&mut waiting, move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    second.lock().expect("whole").replace(waiting);

    rig.run.advance(minutes(45));
    assert!(second.lock().expect("whole").is_none());
    let mut anew = third.lock().expect("whole").take().expect("subscribed");
    let news = futures::FutureExt::now_or_never(anew.changed());
    assert!(news.is_none(), "it has seen what it was woken for");
    rig.run.advance(minutes(45));
    let news = futures::FutureExt::now_or_never(anew.changed());
    assert_eq!(news.expect("news").expect("a token").generation(), 3);
    assert!(gone.load(Ordering::SeqCst) <= 1);
}

#[test]
fn an_observer_may_unsubscribe_read_refresh_and_stop() {
    let held: Arc<Mutex<Vec<Credentials>>> = Arc::default();
    let handle: Arc<Mutex<Option<TokenManager>>> = Arc::default();
    let (readers, manager) = (Arc::clone(&held), Arc::clone(&handle));
    let mut rig = hourly_with(move |event: &Event| {
        if let Event::TokenRefreshed { generation, .. } = event {
            let left = readers.lock().expect("whole").pop();
            drop(left);
            let Some(manager) = manager.lock().expect("whole").clone() else {
                return;
            };
            let token = manager.credentials().current().expect("a token");
            assert_eq!(token.generation(), *generation);
            assert_eq!(manager.status().generation, *generation);
            manager.refresh();
            if *generation == 5 {
                manager.stop();
            }
        }
    });
    handle.lock().expect("whole").replace(rig.manager.clone());
    for _ in 0..3 {
        let mut reader = rig.manager.credentials();
        waits(&mut reader, || {});
        held.lock().expect("whole").push(reader);
    }
    rig.run.advance(hours(1));
    assert!(held.lock().expect("whole").is_empty());
    assert_eq!(rig.manager.status().state, ManagerState::Stopped);
    assert_eq!(rig.manager.status().generation, 5);
    assert_eq!(rig.time.timers(), 0);
}

#[test]
fn the_last_handle_may_be_dropped_from_within_a_task() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().token("a", hours(1)).hang();
    let Rig {
        mut run, manager, ..
    } = rig_with(&time, script.clone(), |builder| builder);
    let credentials = manager.credentials();
    run.spawn(async move {
        let mut credentials = credentials;
        while credentials.changed().await.is_ok() {
            // Its own end, from the task that the manager woke.
            if credentials.generation() == 1 {
                break;
            }
        }
    });
    drop(manager);
    run.settle();
    assert_eq!(time.timers(), 0);
    assert_eq!(script.requests(), 1);
}

#[test]
fn a_waker_may_drop_the_manager() {
    let Rig {
        mut run,
        manager,
        time,
        ..
    } = hourly();
    let last: Arc<Mutex<Option<TokenManager>>> = Arc::default();
    let mut reader = manager.credentials();
    let dropped = Arc::clone(&last);
    waits(&mut reader, move || {
        dropped.lock().expect("whole").take();
    });
    last.lock().expect("whole").replace(manager);
    run.advance(minutes(45));
    assert!(last.lock().expect("whole").is_none());
    assert_eq!(reader.generation(), 2);
    drop(reader);
    run.settle();
    assert_eq!(time.timers(), 0, "the driver has ended");
}

#[test]
fn a_panic_with_a_reader_in_hand_harms_nobody() {
    let mut rig = hourly();
    let mut stays = rig.manager.credentials();
    waits(&mut stays, || {});
    for _ in 0..3 {
        let mut reader = rig.manager.credentials();
        let caller = AssertUnwindSafe(move || {
            waits(&mut reader, || {});
            panic!("a caller");
        });
        assert!(catch_unwind(caller).is_err());
    }
    rig.run.advance(minutes(45));
    let news = futures::FutureExt::now_or_never(stays.changed());
    assert_eq!(news.expect("news").expect("a token").generation(), 2);
}

#[test]
fn threads_that_read_subscribe_refresh_and_leave_at_once_meet_no_deadlock() {
    const ROTATIONS: u64 = 400;
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let Rig {
        mut run, manager, ..
    } = rig_with(&time, source, |builder| builder);
    let patient: Vec<_> = (0..2)
        .map(|_| {
            let mut credentials = manager.credentials();
            thread::spawn(move || {
                let mut seen = 0;
                loop {
                    match block_on(credentials.changed()) {
                        Ok(token) => {
                            assert!(token.generation() > seen, "{token:?} after {seen}");
                            seen = token.generation();
                        }
                        Err(TokenError::Stopped) => return seen,
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    let restless: Vec<_> = (0..2)
        .map(|_| {
            let manager = manager.clone();
            thread::spawn(move || {
                loop {
                    let mut credentials = manager.credentials();
                    waits(&mut credentials, || {});
                    manager.refresh();
                    match credentials.current() {
                        Ok(token) if token.generation() > ROTATIONS => return,
                        Ok(_) => thread::yield_now(),
                        Err(error) => panic!("{error}"),
                    }
                }
            })
        })
        .collect();
    for _ in 0..ROTATIONS {
        run.advance(minutes(45));
    }
    assert!(manager.status().generation > ROTATIONS);
    restless
        .into_iter()
        .for_each(|thread| thread.join().expect("no panic"));
    manager.stop();
    run.settle();
    for thread in patient {
        let seen = thread.join().expect("no panic");
        assert!((1..=manager.status().generation).contains(&seen));
    }
}
