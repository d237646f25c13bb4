//! Rule 12: it stops for good, and nothing leaks.

use std::sync::{Arc, Weak};

use futures::{FutureExt, StreamExt};
use redis_authx::machine::{Input, Lease, Output, Snapshot};
use redis_authx::testing::{EventLog, ManualClock, ScriptedProvider, hours, minutes, seconds};
use redis_authx::{Event, ManagerState, RequestReason, TokenError, TokenManager, TokenRequest};

use super::machine::{machine, outputs, request};
use crate::support::{Rig, rig, rig_with};

fn assert_stopped(rig: &Rig, script: &ScriptedProvider) {
    assert_eq!(rig.manager.status().state, ManagerState::Stopped);
    assert_eq!(rig.time.timers(), 0);
    assert_eq!(script.open_requests(), 0);
    let current = rig.manager.credentials().current();
    assert!(matches!(current, Err(TokenError::Stopped)));
    let events = rig.events.take();
    let stopped = |event: &&Event| matches!(event, Event::Stopped);
    assert_eq!(events.iter().filter(stopped).count(), 1);
    assert!(matches!(events.last(), Some(Event::Stopped)));
}

#[test]
fn stop_with_a_token_held_ends_everything() {
    let script = ScriptedProvider::new().token("a", hours(1));
    let mut rig = rig(script.clone());
    assert!(rig.time.timers() > 0);
    rig.manager.stop();
    rig.run.settle();
    assert_stopped(&rig, &script);
    rig.run.advance(hours(24));
    assert_eq!(script.requests(), 1);
}

#[test]
fn stop_during_a_request_cancels_it() {
    let script = ScriptedProvider::new().hang();
    let mut rig = rig(script.clone());
    assert_eq!(script.open_requests(), 1);
    rig.manager.stop();
    rig.run.settle();
    assert_stopped(&rig, &script);
}

#[test]
fn stop_during_a_retry_and_a_cool_down_ends_them() {
    for wait in [redis_authx::testing::millis(50), seconds(10)] {
        let script = ScriptedProvider::new();
        let mut rig = rig(script.clone());
        rig.run.advance(wait);
        let requests = script.requests();
        rig.manager.stop();
        rig.run.settle();
        assert_stopped(&rig, &script);
        rig.run.advance(hours(1));
        assert_eq!(script.requests(), requests);
    }
}

#[test]
fn stop_twice_and_refresh_after_it_are_harmless() {
    let script = ScriptedProvider::new().token("a", hours(1));
    let mut rig = rig(script.clone());
    rig.manager.stop();
    rig.manager.stop();
    rig.manager.refresh();
    rig.run.settle();
    rig.manager.stop();
    rig.manager.refresh();
    rig.run.advance(hours(1));
    assert_stopped(&rig, &script);
    assert_eq!(script.requests(), 1);
}

#[test]
fn stop_before_the_first_poll_makes_no_request_that_is_not_cancelled() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().hang();
    let (manager, driver) = TokenManager::builder(script.clone()).build(&time);
    manager.stop();
    let _run = time.run(driver);
    assert_eq!(manager.status().state, ManagerState::Stopped);
    assert_eq!(script.open_requests(), 0);
    assert_eq!(time.timers(), 0);
}

#[test]
fn every_reader_is_told_once() {
    let mut rig = rig(ScriptedProvider::new().token("a", hours(1)));
    let mut reader = rig.manager.credentials();
    let mut stream = rig.manager.credentials();
    assert!(stream.next().now_or_never().unwrap().unwrap().is_ok());
    rig.manager.stop();
    rig.run.settle();
    for _ in 0..3 {
        let news = reader.changed().now_or_never();
        assert!(matches!(news, Some(Err(TokenError::Stopped))));
        assert!(stream.next().now_or_never().unwrap().is_none());
    }
}

#[test]
fn the_last_handle_of_either_kind_stops_it() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().token("a", hours(1));
    let events = EventLog::new();
    let (manager, driver) = TokenManager::builder(script.clone())
        .observer(events.clone())
        .build(&time);
    let mut run = time.run(driver);
    let credentials = manager.credentials();
    let another = manager.clone();
    let stopped = |events: &EventLog| {
        let events = events.take();
        events.iter().any(|event| matches!(event, Event::Stopped))
    };

    drop(manager);
    run.advance(minutes(1));
    drop(another);
    run.advance(minutes(1));
    assert_eq!(credentials.current().unwrap().password(), "a");
    assert!(!stopped(&events));

    drop(credentials);
    run.settle();
    assert!(stopped(&events));
    assert_eq!(time.timers(), 0);
}

#[test]
fn a_dropped_driver_publishes_stopped_and_cancels() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().hang();
    let (manager, mut driver) = TokenManager::builder(script.clone()).build(&time);
    assert!((&mut driver).now_or_never().is_none());
    assert_eq!(script.open_requests(), 1);
    drop(driver);
    assert_eq!(manager.status().state, ManagerState::Stopped);
    assert_eq!(script.open_requests(), 0);
    assert_eq!(time.timers(), 0);
}

#[test]
fn a_driver_that_was_never_polled_publishes_stopped_when_dropped() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new();
    let (manager, driver) = TokenManager::builder(script.clone()).build(&time);
    drop(driver);
    assert_eq!(manager.status().state, ManagerState::Stopped);
    assert_eq!(script.requests(), 0);
}

/// Held by a provider, to see when it is gone.
#[derive(Debug)]
struct Witnessed(#[allow(dead_code)] Arc<()>, ScriptedProvider);

#[redis_authx::async_trait]
impl redis_authx::IdentityProvider for Witnessed {
    async fn request_token(&self, request: &TokenRequest<'_>) -> crate::support::Answer {
        self.1.request_token(request).await
    }
}

#[test]
fn nothing_is_left_in_memory() {
    for stopped_first in [true, false] {
        let alive = Arc::new(());
        let gone: Weak<()> = Arc::downgrade(&alive);
        let provider = Witnessed(alive, ScriptedProvider::new().token("a", hours(1)).hang());
        let time = ManualClock::new();
        let mut rig = rig_with(&time, provider, |builder| builder);
        let mut readers: Vec<_> = (0..50).map(|_| rig.manager.credentials()).collect();
        for reader in &mut readers {
            assert!(reader.changed().now_or_never().is_some());
            assert!(reader.changed().now_or_never().is_none());
        }
        rig.run.advance(minutes(46));
        if stopped_first {
            rig.manager.stop();
            rig.run.settle();
            assert_eq!(
                gone.strong_count(),
                0,
                "the driver is gone, handles are not"
            );
        }
        let Rig {
            manager, mut run, ..
        } = rig;
        drop((manager, readers));
        run.settle();
        assert_eq!(gone.strong_count(), 0);
        assert_eq!(time.timers(), 0);
    }
}

#[test]
fn after_stop_a_machine_does_nothing_any_more() {
    let (mut machine, start) = machine();
    let id = request(&mut machine);
    machine.handle_input(start, Input::Stop);
    assert!(matches!(
        outputs(&mut machine).as_slice(),
        [
            Output::Cancel(cancelled),
            Output::Publish(Snapshot::Stopped),
            Output::Report(Event::Stopped)
        ] if *cancelled == id
    ));
    let result = Ok(Lease::new("late", Some(start.after(hours(1)))));
    machine.handle_input(start, Input::Completed { id, result });
    machine.handle_input(start.after(hours(1)), Input::Timeout);
    machine.handle_input(start, Input::Refresh(RequestReason::Asked));
    machine.handle_input(start, Input::Needed(true));
    machine.handle_input(start, Input::Stop);
    assert!(outputs(&mut machine).is_empty());
    assert!(machine.is_stopped());
    assert_eq!(machine.poll_timeout(), None);
    assert_eq!(machine.current(), None);
}
