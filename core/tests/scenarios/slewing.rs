use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, seconds};
use redis_authx::{Clock, Event, Token};

use crate::support::{Source, rig_with};

/// A day of hourly tokens whose end is a wall-clock time, with the wall clock
/// moved a little after each `every`: when the requests came.
fn a_day(every: Duration, slew: impl Fn(u32, &ManualClock)) -> Vec<Duration> {
    let time = ManualClock::new();
    let clock = time.clone();
    let source = Source::new(&time, move |n| {
        Ok(Token::new("user", format!("token-{n}")).expires_at(clock.wall() + hours(1)))
    });
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    for round in 0.. {
        if every * round >= hours(24) {
            break;
        }
        rig.run.advance(every);
        slew(round, &time);
        assert!(rig.password().is_some());
    }
    let stepped = |event: &Event| matches!(event, Event::ClockStepped { .. });
    assert!(!rig.events.take().iter().any(stepped));
    source.times()
}

#[test]
fn a_clock_that_is_slewed_changes_nothing() {
    let still = a_day(hours(1), |_, _| {});
    assert_eq!(still.len(), 33);
    let slews: [fn(u32, &ManualClock); 4] = [
        |_, time| time.step_forward(millis(300)),
        |_, time| time.step_back(millis(300)),
        |round, time| match round % 2 {
            0 => time.step_forward(millis(900)),
            _ => time.step_back(millis(900)),
        },
        |round, time| match round % 10 {
            0..5 => time.step_forward(millis(100)),
            _ => time.step_back(millis(100)),
        },
    ];
    for slew in slews {
        for every in [seconds(7), seconds(30), seconds(64), hours(1)] {
            assert_eq!(a_day(every, slew), still, "every {every:?}");
        }
    }
}
