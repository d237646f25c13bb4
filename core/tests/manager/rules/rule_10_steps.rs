//! Rule 10, the exact point: what a step of the wall clock moves, and what not.

use redis_authx::Event;
use redis_authx::testing::{ManualClock, hours, millis, minutes};

use crate::support::{Source, backoff, down, numbered, rig_with};

#[test]
fn a_step_moves_a_wait_nearer_by_as_much_and_not_more_while_the_token_is_valid() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => numbered(n, hours(1)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(backoff(1, millis(1), millis(1)))
    });
    rig.run.advance(minutes(45));
    assert_eq!(source.requests(), 2);
    let planned = rig.events.take().into_iter().find_map(|event| match event {
        Event::AttemptFailed { retry_in, .. } => retry_in,
        _ => None,
    });
    rig.time.step_forward(minutes(1) / 2);
    drop(rig.manager.credentials().need()); // has the driver look
    rig.run
        .advance(planned.unwrap() - minutes(1) / 2 - millis(1));
    assert!(rig.password().is_some());
    assert_eq!(source.requests(), 2, "the service is left alone");
    rig.run.advance(millis(1));
    assert_eq!(source.requests(), 3);
}
