use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::Future;
use futures_util::task::noop_waker_ref;

use super::*;
use crate::effect::Effect;

fn begun(gate: &Gate, effect: Effect) -> Option<Passing> {
    let begun = gate.before(Effects::of([effect]), Instant::now);
    begun.now_or_never().map(|passing| passing.unwrap().0)
}

fn refused(gate: &Gate, effects: Effects) -> Option<Refusal> {
    let begun = gate.before(effects, Instant::now).now_or_never();
    begun.and_then(Result::err)
}

fn is_shut(gate: &Gate) -> bool {
    gate.pass().now_or_never().is_none()
}

fn block(gate: &Arc<Gate>, until: Option<Instant>) -> Block {
    let block = gate.block(until, Instant::now);
    let mut block = block.now_or_never().unwrap().unwrap().unwrap();
    block.sent();
    block
}

#[test]
fn an_auth_waits_from_multi_to_exec() {
    let gate = Gate::default();
    let multi = begun(&gate, Effect::Opens).unwrap();
    assert!(is_shut(&gate));
    assert!(!gate.after(multi, Outcome::Done));
    assert!(is_shut(&gate));
    let exec = begun(&gate, Effect::Executes).unwrap();
    assert!(is_shut(&gate));
    assert!(!gate.after(exec, Outcome::Done));
    assert!(!is_shut(&gate));
}

#[test]
fn a_multi_waits_for_an_auth() {
    let gate = Gate::default();
    let auth = gate.pass().now_or_never().unwrap();
    assert_eq!(begun(&gate, Effect::Opens), None);
    assert!(begun(&gate, Effect::None).is_some());
    assert!(begun(&gate, Effect::Watches).is_some());
    drop(auth);
    assert!(begun(&gate, Effect::Opens).is_some());
}

#[test]
fn a_waiting_auth_goes_before_a_later_multi() {
    let gate = Gate::default();
    let _ = begun(&gate, Effect::Opens);
    let mut auth = pin!(gate.pass());
    let mut cx = std::task::Context::from_waker(noop_waker_ref());
    assert!(auth.as_mut().poll(&mut cx).is_pending());
    let exec = begun(&gate, Effect::Executes).unwrap();
    gate.after(exec, Outcome::Done);
    assert_eq!(begun(&gate, Effect::Opens), None);
    assert!(auth.as_mut().poll(&mut cx).is_ready());
}

/// One of them may never end its transaction.
#[test]
fn two_that_waited_for_the_same_auth_do_not_wait_for_each_other() {
    let gate = Gate::default();
    let multi = Effects::of([Effect::Opens]);
    let auth = gate.pass().now_or_never().unwrap();
    let mut cx = std::task::Context::from_waker(noop_waker_ref());
    let mut one = pin!(gate.before(multi, Instant::now));
    let mut two = pin!(gate.before(multi, Instant::now));
    assert!(one.as_mut().poll(&mut cx).is_pending());
    assert!(two.as_mut().poll(&mut cx).is_pending());
    drop(auth);
    let step =
        |passing: Option<Result<(Passing, Entered<'_>), Refusal>>| passing.unwrap().unwrap().0.step;
    assert_eq!(step(one.now_or_never()), Step::Opening);
    assert_eq!(step(two.now_or_never()), Step::Plain);
}

#[test]
fn a_multi_that_is_dropped_while_it_waits_leaves_nothing_behind() {
    let gate = Gate::default();
    let auth = gate.pass().now_or_never().unwrap();
    assert_eq!(begun(&gate, Effect::Opens), None);
    drop(auth);
    assert!(!is_shut(&gate));
}

#[test]
fn the_end_is_told_to_whoever_was_deferred_once() {
    let gate = Gate::default();
    for told in [true, false] {
        let _ = begun(&gate, Effect::Opens);
        if told {
            gate.defer();
        }
        let exec = begun(&gate, Effect::Executes).unwrap();
        assert_eq!(gate.after(exec, Outcome::Done), told);
    }
}

#[test]
fn an_auth_waits_for_all_that_blocks() {
    let gate = Arc::new(Gate::default());
    let (one, two) = (block(&gate, None), block(&gate, None));
    gate.defer();
    assert!(is_shut(&gate));
    assert!(!one.end(), "the other one goes on");
    assert!(is_shut(&gate));
    assert!(two.end());
    assert!(!is_shut(&gate));
    assert!(!gate.is_blocked(Instant::now()));
}

#[test]
fn nothing_blocks_inside_a_transaction() {
    let gate = Arc::new(Gate::default());
    let _ = begun(&gate, Effect::Opens);
    let block = gate.block(None, Instant::now).now_or_never().unwrap();
    assert!(block.unwrap().is_none());
}

#[test]
fn a_block_that_nobody_waits_for_counts_until_its_time_is_up() {
    let gate = Arc::new(Gate::default());
    let now = Instant::now();
    let soon = now + Duration::from_secs(1);
    drop(block(&gate, Some(soon)));
    assert!(gate.is_blocked(now));
    assert!(is_shut(&gate));
    assert!(!gate.is_blocked(soon));
    assert!(!is_shut(&gate));

    // Of several, the last counts.
    drop(block(&gate, None));
    drop(block(&gate, Some(soon)));
    assert!(gate.is_blocked(soon + Duration::from_secs(3600)));
}

#[test]
fn a_block_that_nobody_waits_for_is_over_with_a_later_reply() {
    let gate = Arc::new(Gate::default());
    let before = begun(&gate, Effect::None).unwrap();
    drop(block(&gate, None));
    let after = begun(&gate, Effect::None).unwrap();
    gate.defer();
    assert!(!gate.after(before, Outcome::Done), "it was sent before");
    assert!(!gate.after(after, Outcome::Unknown), "no reply");
    assert!(gate.is_blocked(Instant::now()));
    assert!(gate.after(after, Outcome::Refused));
    assert!(!gate.is_blocked(Instant::now()));
}

#[test]
fn what_was_not_sent_blocks_nothing() {
    let gate = Arc::new(Gate::default());
    let unsent = gate.block(None, Instant::now).now_or_never();
    assert!(gate.is_blocked(Instant::now()));
    drop(unsent);
    assert!(!gate.is_blocked(Instant::now()));
    assert!(!is_shut(&gate));
}

#[test]
fn a_retired_gate_sends_on_to_the_next() {
    let gate = Arc::new(Gate::default());
    let multi = begun(&gate, Effect::Opens).unwrap();
    gate.after(multi, Outcome::Done);
    let mut next = None;
    gate.retire(Instant::now(), |gate| next = Some(gate));
    let exec = Effects::of([Effect::Executes]);
    assert_eq!(refused(&gate, exec), Some(Refusal::Retired));

    let next = next.unwrap();
    assert!(!is_shut(&next));
    let torn = Refusal::Instead(Instead::Torn { unchecked: false });
    for effects in [Effects::NONE, exec] {
        assert_eq!(refused(&next, effects), Some(torn));
    }
    assert!(begun(&next, Effect::None).is_some());
}

/// Its `MULTI` was on its way when it was retired.
#[test]
fn a_transaction_can_turn_out_to_be_torn() {
    let gate = Gate::default();
    assert!(begun(&gate, Effect::None).is_some());
    gate.tear(Instant::now());
    let torn = Refusal::Instead(Instead::Torn { unchecked: false });
    assert_eq!(refused(&gate, Effects::NONE), Some(torn));
}

#[test]
fn while_an_auth_is_under_way_commands_are_held_off() {
    let gate = Gate::default();
    let (_, in_flight) = gate
        .before(Effects::NONE, Instant::now)
        .now_or_never()
        .unwrap()
        .unwrap();
    let held_off = gate.in_flight.hold_off();
    assert!(held_off.drained().now_or_never().is_none());
    assert!(begun(&gate, Effect::None).is_none());
    assert!(begun(&gate, Effect::Watches).is_none());
    drop(in_flight);
    assert!(held_off.drained().now_or_never().is_some());
    drop(held_off);
    assert!(begun(&gate, Effect::None).is_some());
}

#[test]
fn nothing_is_sent_on_a_lost_connection() {
    for loss in [Flag::Gone, Flag::OutOfStep] {
        let gate = Gate::default();
        let held_off = gate.in_flight.hold_off();
        let mut waiting = pin!(gate.before(Effects::NONE, Instant::now));
        let mut cx = std::task::Context::from_waker(noop_waker_ref());
        assert!(waiting.as_mut().poll(&mut cx).is_pending());
        assert!(gate.lose(loss));
        assert!(!gate.lose(Flag::Gone), "known");
        drop(held_off);
        let sent = waiting.now_or_never().unwrap();
        assert_eq!(sent.err(), Some(Refusal::Retired));
        assert_eq!(gate.is_out_of_step(), loss == Flag::OutOfStep);
    }
}
