//! Passwords without an expiry, which are requested again on the schedule of
//! [`Token::refresh_in`].

use redis_authx::testing::{ManualClock, minutes, seconds};
use redis_authx::{Event, ManagerState, Token};

use crate::support::{Answer, Source, down, rig_with};

fn password(text: &str) -> Answer {
    Ok(Token::new("app", text).refresh_in(minutes(1)))
}

#[test]
fn a_password_without_an_expiry_is_requested_again_on_its_schedule() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| password(if n < 4 { "old" } else { "new" }));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    let credentials = rig.manager.credentials();
    assert_eq!(rig.manager.status().expires_in, None);

    // The same again is no rotation, and keeps the schedule.
    rig.run.advance(minutes(3) - seconds(1));
    assert_eq!(rig.password().as_deref(), Some("old"));
    assert_eq!(credentials.generation(), 1);
    let unchanged = |event: &Event| matches!(event, Event::TokenUnchanged { .. });
    assert_eq!(rig.events.take().iter().filter(|e| unchanged(e)).count(), 2);

    rig.run.advance(seconds(1));
    assert_eq!(rig.password().as_deref(), Some("new"));
    assert_eq!(credentials.generation(), 2);
    rig.run.advance(minutes(2));
    assert_eq!(source.gaps(), [60_000; 5]);
}

#[test]
fn a_password_without_an_expiry_outlives_an_outage() {
    let time = ManualClock::new();
    let source = Source::new(
        &time,
        |n| if n == 1 { password("old") } else { Err(down()) },
    );
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(24 * 60));
    assert_eq!(rig.password().as_deref(), Some("old"));
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
    // About one attempt a minute: no storm.
    assert!(source.requests() < 24 * 60 * 2, "{}", source.requests());
}

#[test]
fn without_a_schedule_it_is_requested_once() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Ok(Token::new("app", "password")));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(24 * 60));
    assert_eq!(source.requests(), 1);
    // An application that knows of a change says so.
    rig.manager.refresh();
    rig.run.settle();
    assert_eq!(source.requests(), 2);
}
