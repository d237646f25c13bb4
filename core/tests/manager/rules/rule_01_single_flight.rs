//! Rule 1: at most one request at a time, however many wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes, seconds};

use crate::support::{Gate, Source, down, numbered, rig, rig_with};

#[test]
fn a_hundred_readers_wait_for_one_request() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let got = Arc::new(AtomicUsize::new(0));
    for _ in 0..100 {
        let credentials = rig.manager.credentials();
        let got = Arc::clone(&got);
        rig.run.spawn(async move {
            credentials.get(minutes(1)).await.unwrap();
            got.fetch_add(1, Ordering::SeqCst);
        });
        rig.manager.refresh();
    }
    rig.run.settle();
    assert_eq!(gate.requests(), 1);
    gate.answer(numbered(1, hours(1)));
    rig.run.settle();
    assert_eq!(got.load(Ordering::SeqCst), 100);
    assert_eq!(gate.requests(), 1);
}

#[test]
fn hung_failed_and_good_requests_never_overlap() {
    let mut script = ScriptedProvider::new();
    for round in 0..20 {
        script = script
            .hang()
            .error(down())
            .panic()
            .token(&format!("token-{round}"), minutes(10));
    }
    let mut rig = rig(script.clone());
    for _ in 0..2000 {
        rig.manager.refresh();
        rig.run.advance(seconds(1));
    }
    assert!(script.requests() >= 80, "{}", script.requests());
    assert_eq!(script.most_open_requests(), 1);
}

#[test]
fn readers_that_come_when_a_token_is_held_cause_no_request() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    for _ in 0..100 {
        let credentials = rig.manager.credentials();
        let token = rig
            .run
            .block_on(async move { credentials.get(seconds(1)).await.unwrap() });
        assert_eq!(token.password(), "token-1");
    }
    assert_eq!(source.requests(), 1);
}
