use std::thread;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{ManagerState, TokenError, TokenManager};

use crate::support::{Source, exact, numbered, rig, rig_with};

#[test]
fn many_threads_may_stop_it_at_once() {
    let mut rig = rig(ScriptedProvider::new().token("a", hours(1)));
    thread::scope(|scope| {
        for _ in 0..8 {
            let manager = rig.manager.clone();
            scope.spawn(move || {
                manager.stop();
                manager.refresh();
                manager.stop();
                drop(manager.credentials().current());
            });
        }
    });
    rig.run.settle();
    assert_eq!(rig.manager.status().state, ManagerState::Stopped);
    assert_eq!(rig.time.timers(), 0);
}

#[test]
fn many_threads_may_start_and_stop_their_own() {
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || {
                let time = ManualClock::new();
                for _ in 0..50 {
                    let source = Source::new(&time, move |_| numbered(number, hours(1)));
                    let (manager, driver) = TokenManager::builder(source).build(&time);
                    let mut run = time.run(driver);
                    let token = manager.credentials().current().unwrap();
                    assert_eq!(token.password(), format!("token-{number}"));
                    manager.stop();
                    run.settle();
                    assert_eq!(manager.status().state, ManagerState::Stopped);
                }
                assert_eq!(time.timers(), 0);
            });
        }
    });
}

#[test]
fn stop_comes_before_a_renewal_that_is_due() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, millis(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.refresh_policy(exact(|policy| policy.expiration_refresh_ratio(0.0)))
    });
    rig.run.advance(seconds(5) - millis(1));
    let requests = source.requests();
    rig.manager.stop();
    rig.run.advance(minutes(1));
    assert_eq!(source.requests(), requests);
    assert_eq!(rig.time.timers(), 0);
}

#[test]
fn a_stopped_manager_stays_stopped_and_a_new_one_takes_its_place() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new()
        .token("a", hours(1))
        .token("b", hours(1));
    let mut first = rig_with(&time, script.clone(), |builder| builder);
    first.manager.stop();
    first.run.settle();
    first.manager.refresh();
    first.run.advance(hours(2));
    let outcome = first.manager.credentials().current();
    assert!(matches!(outcome, Err(TokenError::Stopped)));

    let second = rig_with(&time, script, |builder| builder);
    assert_eq!(second.password().as_deref(), Some("b"));
    let token = second.manager.credentials().current().unwrap();
    assert_eq!(token.generation(), 1, "counted anew");
}

#[test]
fn a_provider_is_let_go_of_and_tokens_in_hand_outlive_it() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let weak = source.alive();
    let rig = rig_with(&time, source, |builder| builder);
    let token = rig.manager.credentials().current().unwrap();
    assert!(weak.upgrade().is_some());
    rig.manager.stop();
    drop(rig);
    assert!(weak.upgrade().is_none(), "the provider is still held");
    assert_eq!(token.password(), "token-1");
}
