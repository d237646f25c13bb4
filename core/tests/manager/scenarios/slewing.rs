use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, minutes, seconds};
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
fn a_clock_that_is_slewed_moves_a_renewal_by_no_more_than_that() {
    let still = a_day(hours(1), |_, _| {});
    assert_eq!(still.len(), 33);
    // By 500 ppm, the most that NTP does.
    let slews: [fn(u32, Duration, &ManualClock); 4] = [
        |_, by, time| time.step_forward(by),
        |_, by, time| time.step_back(by),
        |round, by, time| match round % 2 {
            0 => time.step_forward(by),
            _ => time.step_back(by),
        },
        |round, by, time| match round % 10 {
            0..5 => time.step_forward(by),
            _ => time.step_back(by),
        },
    ];
    let (life, drift) = (minutes(45), minutes(45) / 2000);
    for slew in slews {
        for every in [seconds(7), seconds(30), seconds(64), hours(1)] {
            let slewed = a_day(every, |round, time| slew(round, every / 2000, time));
            for pair in slewed.windows(2) {
                let gap = pair[1] - pair[0];
                assert!(gap <= life && gap >= life - drift, "{gap:?}");
            }
        }
    }
}
