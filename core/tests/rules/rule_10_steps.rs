//! Rule 10, the exact point: what a step of the wall clock moves, and what not.

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};

use crate::support::{Source, backoff, down, exact, numbered, rig_with};

#[test]
fn a_step_ends_no_cool_down_while_the_token_is_valid() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => numbered(n, hours(1)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder
            .refresh_policy(exact(|policy| policy.cool_down(minutes(10))))
            .retry_policy(backoff(1, millis(1), millis(1)))
    });
    rig.run.advance(minutes(45));
    assert_eq!(source.requests(), 2);
    rig.time.step_forward(minutes(1));
    rig.run.advance(seconds(30));
    assert!(rig.password().is_some());
    assert_eq!(source.requests(), 2, "the service is left alone");
}
