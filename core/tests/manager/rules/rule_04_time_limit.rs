//! Rule 4: a hung request is cancelled and counts as a failed attempt.

use redis_authx::machine::{Input, Lease, Output, Snapshot};
use redis_authx::testing::{ScriptedProvider, hours, millis, seconds};
use redis_authx::{ErrorKind, Event};

use super::machine::{machine, outputs, request};
use crate::support::{Gate, numbered, rig};

#[test]
fn a_hung_request_is_dropped_at_its_limit_and_retried() {
    let script = ScriptedProvider::new().hang().token("a", hours(1));
    let mut rig = rig(script.clone());
    rig.run.advance(seconds(10) - millis(1));
    assert_eq!(script.open_requests(), 1);
    rig.run.advance(millis(1));
    assert_eq!(script.open_requests(), 0);
    assert!(matches!(
        rig.events.take().as_slice(),
        [Event::AttemptFailed { attempt: 1, error, retry_in: Some(wait), .. }]
            if error.kind() == ErrorKind::Timeout && *wait == millis(100)
    ));
    rig.run.advance(millis(100));
    assert_eq!(rig.password().as_deref(), Some("a"));
    assert_eq!(rig.manager.status().failures, 1);
}

#[test]
fn an_answer_just_within_the_limit_counts() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    rig.run.advance(seconds(10) - millis(1));
    gate.answer(numbered(1, hours(1)));
    rig.run.settle();
    assert_eq!(rig.password().as_deref(), Some("token-1"));
}

#[test]
fn a_late_answer_is_ignored_while_waiting_and_with_a_newer_request_open() {
    let (mut machine, start) = machine();
    let first = request(&mut machine);
    let answer = |value| Ok(Lease::new(value, Some(start.after(hours(1)))));

    // Its limit passes: cancelled. The answer comes while the retry waits …
    let late = start.after(seconds(10));
    machine.handle_input(late, Input::Timeout);
    assert!(
        outputs(&mut machine)
            .iter()
            .any(|output| matches!(output, Output::Cancel(id) if *id == first))
    );
    let waits_until = machine.poll_timeout();
    machine.handle_input(
        late,
        Input::Completed {
            id: first,
            result: answer("late"),
        },
    );
    assert!(outputs(&mut machine).is_empty());
    assert_eq!(machine.current(), None);
    assert_eq!(machine.poll_timeout(), waits_until);

    // … and once more with a newer request open.
    let retry = late.after(millis(100));
    machine.handle_input(retry, Input::Timeout);
    let second = request(&mut machine);
    assert_ne!(first, second);
    machine.handle_input(
        retry,
        Input::Completed {
            id: first,
            result: answer("late"),
        },
    );
    assert!(outputs(&mut machine).is_empty());
    assert_eq!(machine.current(), None);

    // The newer one is still the one that counts.
    machine.handle_input(
        retry,
        Input::Completed {
            id: second,
            result: answer("good"),
        },
    );
    assert_eq!(machine.current(), Some(&"good"));
    assert!(outputs(&mut machine).iter().any(|output| matches!(
        output,
        Output::Publish(Snapshot::Valid {
            value: "good",
            generation: 1,
            ..
        })
    )));

    // An answer that comes twice changes nothing.
    machine.handle_input(
        retry,
        Input::Completed {
            id: second,
            result: answer("twice"),
        },
    );
    assert!(outputs(&mut machine).is_empty());
    assert_eq!(machine.current(), Some(&"good"));
}

#[test]
fn a_late_failure_costs_no_attempt() {
    let (mut machine, start) = machine();
    let first = request(&mut machine);
    machine.handle_input(start.after(seconds(10)), Input::Timeout);
    let _ = outputs(&mut machine);
    let late = Err(ErrorKind::Rejected.into());
    machine.handle_input(
        start.after(seconds(10)),
        Input::Completed {
            id: first,
            result: late,
        },
    );
    assert!(outputs(&mut machine).is_empty());
}
