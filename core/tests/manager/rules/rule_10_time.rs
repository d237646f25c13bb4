//! Rule 10: a token ends as soon as either clock says so, and what is planned
//! follows its end.

use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{Clock, ErrorKind, Event, ManagerState, Token};

use crate::support::{Answer, Gate, Rig, Source, down, rig_with};

/// A token that states its end by the wall clock.
fn ends_at(clock: &ManualClock, request: usize, lifetime: Duration) -> Answer {
    Ok(Token::new("user", format!("token-{request}")).expires_at(clock.wall() + lifetime))
}

fn started(lifetime: Duration) -> (Rig, Source) {
    let time = ManualClock::new();
    let clock = time.clone();
    let source = Source::new(&time, move |n| ends_at(&clock, n, lifetime));
    let rig = rig_with(&time, source.clone(), |builder| builder);
    (rig, source)
}

fn steps(rig: &Rig) -> Vec<(Duration, bool)> {
    let step = |event| match event {
        Event::ClockStepped { by, backward, .. } => Some((by, backward)),
        _ => None,
    };
    rig.events.take().into_iter().filter_map(step).collect()
}

/// Has the driver look at the clocks.
fn look(rig: &mut Rig) {
    drop(rig.manager.credentials().need());
    rig.run.settle();
}

#[test]
fn get_after_a_suspend_never_hands_out_a_stale_token_and_does_not_wait_for_the_check() {
    let (mut rig, source) = started(hours(1));
    rig.run.advance(minutes(5));
    rig.time.suspend(hours(8));
    let credentials = rig.manager.credentials();
    let before = rig.time.now();
    let token = rig
        .run
        .block_on(async move { credentials.get(seconds(5)).await.unwrap() });
    assert_eq!(token.password(), "token-2");
    assert_eq!(rig.time.now(), before);
    assert_eq!(source.requests(), 2);
}

#[test]
fn a_short_suspend_moves_the_renewal_nearer() {
    let (mut rig, source) = started(hours(1));
    let _connected = rig.manager.credentials().count_connection();
    rig.run.advance(minutes(5));
    rig.time.suspend(minutes(20));
    rig.run.advance(minutes(20) - millis(1));
    assert_eq!(source.requests(), 1);
    rig.run.advance(millis(1));
    assert_eq!(source.requests(), 2);
}

#[test]
fn a_wall_clock_set_forward_past_expiry_withdraws_the_token() {
    let time = ManualClock::new();
    let clock = time.clone();
    let source = Source::new(&time, move |n| match n {
        1 => ends_at(&clock, 1, hours(1)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(minutes(5));
    rig.time.step_forward(hours(2));
    assert_eq!(rig.password(), None);
    rig.run.settle();
    assert_ne!(rig.manager.status().state, ManagerState::Valid);
}

#[test]
fn a_wall_clock_set_back_extends_nothing() {
    let (mut rig, source) = started(hours(1));
    rig.run.advance(minutes(5));
    rig.time.step_back(hours(3));
    look(&mut rig);
    rig.run.advance(minutes(40) - millis(1));
    assert_eq!(source.requests(), 1);
    assert_eq!(steps(&rig), [(hours(3), true)]);
    rig.run.advance(millis(1));
    assert_eq!(source.requests(), 2);
}

#[test]
fn a_token_is_not_held_past_its_monotonic_end_after_a_step_back() {
    let time = ManualClock::new();
    let clock = time.clone();
    let source = Source::new(&time, move |n| match n {
        1 => ends_at(&clock, 1, hours(1)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(minutes(5));
    rig.time.step_back(hours(3));
    rig.run.advance(minutes(55) - millis(1));
    assert!(rig.password().is_some());
    rig.run.advance(millis(1));
    assert_eq!(rig.password(), None);
}

#[test]
fn slewing_is_no_step() {
    let (mut rig, source) = started(hours(1));
    for _ in 0..60 {
        rig.run.advance(seconds(30));
        rig.time.step_forward(millis(15)); // 500 ppm
        look(&mut rig);
    }
    assert_eq!(steps(&rig), []);
    assert_eq!(source.requests(), 1);
}

#[test]
fn a_step_is_reported_once_and_only_above_two_seconds() {
    let (mut rig, _) = started(hours(1));
    rig.time.step_forward(seconds(2));
    look(&mut rig);
    assert_eq!(steps(&rig), []);
    rig.time.step_forward(seconds(2) + millis(1));
    look(&mut rig);
    look(&mut rig);
    assert_eq!(steps(&rig), [(millis(2001), false)]);
}

#[test]
fn a_token_that_comes_right_after_a_suspend_keeps_its_whole_life() {
    let time = ManualClock::new();
    let gate = Gate::default();
    let mut rig = rig_with(&time, gate.clone(), |builder| builder);
    // The machine sleeps while the first request is open; its answer is the
    // first thing that is seen after that.
    rig.time.suspend(hours(1));
    gate.answer(ends_at(&time, 1, hours(1)));
    rig.run.settle();
    assert_eq!(rig.manager.status().expires_in, Some(hours(1)));
    rig.run.advance(minutes(45) - millis(1));
    assert_eq!(gate.requests(), 1);
    assert_eq!(rig.password().as_deref(), Some("token-1"));
}

#[test]
fn a_step_in_the_middle_of_an_answer_is_not_taken_from_it() {
    let time = ManualClock::new();
    let clock = time.clone();
    let source = Source::new(&time, move |n| {
        clock.suspend(hours(1));
        ends_at(&clock, n, hours(1))
    });
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    assert_eq!(rig.manager.status().expires_in, Some(hours(1)));
    rig.run.advance(minutes(45) - millis(1));
    assert_eq!(source.requests(), 1);
    assert_eq!(rig.password().as_deref(), Some("token-1"));
}

#[test]
fn a_suspend_during_a_renewal_withdraws_the_old_token_and_keeps_the_new() {
    let time = ManualClock::new();
    let gate = Gate::default();
    let mut rig = rig_with(&time, gate.clone(), |builder| builder);
    gate.answer(ends_at(&time, 1, hours(1)));
    rig.run.advance(minutes(45));
    assert_eq!(gate.requests(), 2);
    rig.time.suspend(hours(1));
    gate.answer(ends_at(&time, 2, hours(1)));
    rig.run.settle();
    assert_eq!(rig.password().as_deref(), Some("token-2"));
    assert_eq!(rig.manager.status().expires_in, Some(hours(1)));
}

#[test]
fn a_suspend_past_the_expiry_ends_a_wait_but_not_a_servers_wish() {
    for (retry_after, requests) in [(None, 3), (Some(hours(1)), 2)] {
        let time = ManualClock::new();
        let clock = time.clone();
        let source = Source::new(&time, move |n| match n {
            1 => ends_at(&clock, 1, minutes(10)),
            2 => Err(match retry_after {
                Some(wait) => down().with_retry_after(wait),
                None => down(),
            }),
            n => ends_at(&clock, n, minutes(10)),
        });
        let mut rig = rig_with(&time, source.clone(), |builder| {
            let policy = crate::support::exact(|policy| policy.cool_down(minutes(20)));
            builder
                .refresh_policy(policy)
                .retry_policy(crate::support::backoff(1, millis(1), millis(1)))
        });
        rig.run.advance(minutes(7) - millis(1));
        assert_eq!(source.requests(), 1);
        rig.run.advance(seconds(2));
        assert_eq!(source.requests(), 2);
        rig.time.suspend(hours(2));
        look(&mut rig);
        assert_eq!(source.requests(), requests, "{retry_after:?}");
    }
}

#[test]
fn a_wall_clock_that_jumps_about_makes_no_loop() {
    let (mut rig, source) = started(hours(1));
    for _ in 0..1000 {
        rig.time.step_forward(hours(1));
        rig.manager.refresh(); // has the driver look
        rig.run.settle();
        rig.time.step_back(hours(1));
        rig.manager.refresh();
        rig.run.advance(millis(10));
    }
    // Ten seconds, once a second.
    assert!(source.requests() <= 11, "{}", source.requests());
}

#[test]
fn a_clock_that_is_wrong_makes_an_expired_token_not_a_panic() {
    let time = ManualClock::new();
    let ends = time.wall() + hours(1);
    time.step_forward(hours(24));
    let source = Source::new(&time, move |_| {
        Ok(Token::new("user", "token").expires_at(ends))
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(seconds(5));
    let error = rig.manager.status().last_error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Expired);
    // The clock is set right: the next cycle gets the token.
    rig.time.step_back(hours(24));
    rig.run.advance(seconds(36));
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
}
