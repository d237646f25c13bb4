//! Readers see the latest token, and none of them holds up another.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Context;
use std::time::Duration;

use futures::stream::FusedStream;
use futures::task::{ArcWake, waker};
use futures::{FutureExt, StreamExt};
use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{Clock, Credentials, Event, Token, TokenError};

use crate::support::{Gate, Rig, Source, down, numbered, rig, rig_with};

/// A manager whose tokens live an hour.
fn hourly() -> Rig {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    rig_with(&time, source, |builder| builder)
}

type Notes = Arc<Mutex<Vec<(u64, Duration)>>>;

/// Notes each generation that it sees, and when.
async fn note_all(mut credentials: Credentials, clock: ManualClock, notes: Notes) {
    let start = clock.now();
    while let Some(news) = credentials.next().await {
        if let Ok(token) = news {
            let at = clock.now() - start;
            notes.lock().expect("whole").push((token.generation(), at));
        }
    }
}

/// Never wakes; its task is stuck for good.
struct Stuck;

impl ArcWake for Stuck {
    fn wake_by_ref(_: &Arc<Self>) {}
}

#[test]
fn one_stuck_subscriber_and_one_dropped_one_never_delay_another() {
    let mut rig = hourly();
    let notes = Notes::default();
    let reader = note_all(
        rig.manager.credentials(),
        rig.time.clone(),
        Arc::clone(&notes),
    );
    rig.run.spawn(reader);

    // One asks for news and is then never polled again …
    let waker = waker(Arc::new(Stuck));
    let mut cx = Context::from_waker(&waker);
    let mut stuck = rig.manager.credentials();
    assert!(stuck.poll_changed(&mut cx).is_ready());
    assert!(stuck.poll_changed(&mut cx).is_pending());
    // … one holds what it has read …
    let held = rig.manager.credentials().current().unwrap();
    // … one is dropped in the middle of its wait …
    let mut dropped = Box::pin({
        let mut credentials = rig.manager.credentials();
        async move {
            credentials.changed().await.unwrap();
            credentials.changed().await.unwrap();
        }
    });
    assert!(dropped.as_mut().poll(&mut cx).is_pending());
    drop(dropped);
    // … and one between its waits.
    drop(rig.manager.credentials());

    rig.run.advance(minutes(45 * 20));
    let seen = notes.lock().unwrap().clone();
    let expected: Vec<(u64, Duration)> = (0..21u64)
        .map(|round| (round + 1, minutes(45 * round)))
        .collect();
    assert_eq!(seen, expected);

    // The stuck one has missed 19 rotations and gets the latest.
    let news = stuck.changed().now_or_never().unwrap().unwrap();
    assert_eq!(news.generation(), 21);
    assert!(stuck.changed().now_or_never().is_none());
    assert_eq!(held.generation(), 1);
}

#[test]
fn a_late_subscriber_gets_the_latest_at_once() {
    let mut rig = hourly();
    rig.run.advance(hours(8));
    let generation = rig.manager.status().generation;
    assert!(generation > 5);
    let mut late = rig.manager.credentials();
    let news = late.changed().now_or_never().unwrap().unwrap();
    assert_eq!(news.generation(), generation);
    assert!(late.changed().now_or_never().is_none());
}

#[test]
fn before_the_first_token_there_is_no_news() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let mut reader = rig.manager.credentials();
    assert!(reader.changed().now_or_never().is_none());
    assert!(matches!(reader.current(), Err(TokenError::Pending { .. })));
    gate.answer(numbered(1, hours(1)));
    rig.run.settle();
    assert!(reader.changed().now_or_never().unwrap().is_ok());
}

#[test]
fn many_subscribers_each_see_every_rotation_when_they_keep_up() {
    let mut rig = hourly();
    let all: Vec<Notes> = (0..200).map(|_| Notes::default()).collect();
    for notes in &all {
        let reader = note_all(
            rig.manager.credentials(),
            rig.time.clone(),
            Arc::clone(notes),
        );
        rig.run.spawn(reader);
    }
    rig.run.advance(minutes(45 * 9));
    for notes in &all {
        let seen: Vec<u64> = notes
            .lock()
            .unwrap()
            .iter()
            .map(|(seen, _)| *seen)
            .collect();
        assert_eq!(seen, (1..=10).collect::<Vec<u64>>());
    }
}

#[test]
fn the_stream_tells_of_an_outage_and_ends_after_stopped() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => numbered(1, minutes(10)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    let mut stream = rig.manager.credentials();
    let mut next = move || {
        stream
            .next()
            .now_or_never()
            .map(|item| (item, stream.is_terminated()))
    };
    assert!(matches!(next(), Some((Some(Ok(_)), false))));
    assert!(next().is_none());
    rig.run.advance(minutes(10));
    assert!(matches!(
        next(),
        Some((Some(Err(TokenError::Unavailable(_))), false))
    ));
    rig.manager.stop();
    rig.run.settle();
    for _ in 0..2 {
        assert!(matches!(next(), Some((None, true))));
    }
    let mut late = rig.manager.credentials();
    assert!(matches!(late.next().now_or_never(), Some(None)));
}

#[test]
fn changed_is_cancel_safe() {
    let mut rig = hourly();
    let mut reader = rig.manager.credentials();
    reader.changed().now_or_never().unwrap().unwrap();
    let waker = futures::task::noop_waker();
    for generation in 2..10 {
        // Waits, is woken by news, and is dropped before it takes them.
        let mut wait = Box::pin(reader.changed());
        let mut cx = Context::from_waker(&waker);
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        rig.run.advance(minutes(45));
        drop(wait);
        let news = reader.changed().now_or_never().unwrap().unwrap();
        assert_eq!(news.generation(), generation);
    }
}

#[test]
fn a_clone_has_seen_the_same_news() {
    let mut rig = hourly();
    let mut first = rig.manager.credentials();
    let mut unseen = first.clone();
    first.changed().now_or_never().unwrap().unwrap();
    let mut seen = first.clone();
    assert!(unseen.changed().now_or_never().is_some());
    assert!(seen.changed().now_or_never().is_none());
    rig.run.advance(minutes(45));
    for reader in [&mut first, &mut unseen, &mut seen] {
        assert_eq!(
            reader
                .changed()
                .now_or_never()
                .unwrap()
                .unwrap()
                .generation(),
            2
        );
    }
}

#[test]
fn get_blocking_waits_on_its_thread() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let readers: Vec<_> = (0..8)
        .map(|_| {
            let credentials = rig.manager.credentials();
            std::thread::spawn(move || credentials.get_blocking(Duration::MAX))
        })
        .collect();
    gate.answer(numbered(1, hours(1)));
    rig.run.settle();
    for reader in readers {
        let token: Token = reader.join().unwrap().unwrap();
        assert_eq!(token.password(), "token-1");
    }
}

#[test]
fn get_blocking_ends_at_its_limit_and_on_stop() {
    let mut rig = rig(ScriptedProvider::new().hang());
    let credentials = rig.manager.credentials();
    let outcome = credentials.get_blocking(Duration::from_millis(1));
    assert!(matches!(outcome, Err(TokenError::Pending { .. })));
    let reader = std::thread::spawn(move || credentials.get_blocking(Duration::MAX));
    rig.manager.stop();
    rig.run.settle();
    assert!(matches!(reader.join().unwrap(), Err(TokenError::Stopped)));
}

#[test]
fn a_reader_that_waits_in_a_task_is_woken_and_one_that_left_is_forgotten() {
    let mut rig = hourly();
    let news: Notes = Notes::default();
    let reader = note_all(
        rig.manager.credentials(),
        rig.time.clone(),
        Arc::clone(&news),
    );
    let (cancel, cancelled) = futures::channel::oneshot::channel::<()>();
    rig.run.spawn(async move {
        futures::future::select(Box::pin(reader), cancelled).await;
    });
    rig.run.advance(minutes(45));
    cancel.send(()).unwrap();
    rig.run.advance(minutes(45));
    assert_eq!(news.lock().unwrap().len(), 2);
    assert_eq!(Arc::strong_count(&news), 1, "the task is gone");
}

#[test]
fn a_dropped_subscriber_leaves_no_waker_behind() {
    let rig = hourly();
    let task = Arc::new(Stuck);
    let waker = waker(Arc::clone(&task));
    let mut cx = Context::from_waker(&waker);
    for _ in 0..1000 {
        let mut reader = rig.manager.credentials();
        assert!(reader.poll_changed(&mut cx).is_ready());
        assert!(reader.poll_changed(&mut cx).is_pending());
        assert_eq!(Arc::strong_count(&task), 3);
    }
    let credentials = rig.manager.credentials();
    let mut get = Box::pin(credentials.get(minutes(1)));
    assert!(get.as_mut().poll(&mut cx).is_ready());
    drop(get);
    assert_eq!(Arc::strong_count(&task), 2, "the waker's and our own");
}

#[test]
fn a_token_read_by_current_costs_no_copy() {
    let rig = hourly();
    let credentials = rig.manager.credentials();
    let (one, another) = (
        credentials.current().unwrap(),
        credentials.current().unwrap(),
    );
    assert!(std::ptr::eq(one.password(), another.password()));
}

#[test]
fn a_stream_is_what_a_client_library_takes() {
    fn takes(_: impl futures::Stream<Item = Result<Token, TokenError>> + Send + Unpin + 'static) {}
    let rig = hourly();
    takes(rig.manager.credentials());
    let boxed: Pin<Box<dyn futures::Stream<Item = _> + Send>> = Box::pin(rig.manager.credentials());
    let tokens: Vec<_> = boxed.take(1).collect().now_or_never().unwrap();
    assert!(tokens[0].is_ok());
}

#[test]
fn what_an_observer_is_told_of_can_be_seen_by_then() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1..=5 => Err(down()),
        n => numbered(n, hours(1)),
    });
    let handle: Arc<OnceLock<Credentials>> = Arc::default();
    let seen: Arc<Mutex<Vec<(&str, bool)>>> = Arc::default();
    let (credentials, notes) = (Arc::clone(&handle), Arc::clone(&seen));
    let mut rig = rig_with(&time, source, |builder| {
        builder.observer(move |event: &Event| {
            let Some(Ok(current)) = credentials.get().map(|reader| match reader.current() {
                Err(TokenError::Unavailable(_)) => Ok(false),
                Ok(_) => Ok(true),
                other => other.map(|_| true),
            }) else {
                return;
            };
            let what = match event {
                Event::CycleExhausted { .. } => "exhausted",
                Event::Recovered { .. } => "recovered",
                Event::TokenRefreshed { .. } => "refreshed",
                _ => return,
            };
            notes.lock().unwrap().push((what, current));
        })
    });
    handle.set(rig.manager.credentials()).unwrap();
    rig.run.advance(minutes(1));
    assert_eq!(
        *seen.lock().unwrap(),
        [
            ("exhausted", false),
            ("recovered", true),
            ("refreshed", true)
        ]
    );
}
