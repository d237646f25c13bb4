use std::time::SystemTime;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{Clock, Event, Moment, SessionRule, Token};

use crate::support::{rig, rig_with};

#[test]
fn a_token_tells_whose_it_is_when_it_came_and_when_it_ends() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().token("a", hours(1));
    let mut rig = rig_with(&time, script, |builder| builder);
    let received = time.wall();
    rig.run.advance(minutes(20));
    let token = rig.manager.credentials().current().unwrap();
    assert_eq!((token.username(), token.password()), ("user", "a"));
    assert_eq!(token.generation(), 1);
    assert_eq!(token.received_at(), Some(received));
    assert_eq!(token.expiry(), Some(received + hours(1)));
    assert_eq!(token.time_left(Moment::now(&time)), Some(minutes(40)));
    assert_eq!(token.session_rule(), SessionRule::EndsWithToken);
}

#[test]
fn a_token_in_hand_never_changes() {
    let mut rig = rig(ScriptedProvider::new()
        .token("a", hours(1))
        .token("b", hours(2)));
    let held = rig.manager.credentials().current().unwrap();
    let (shown, expiry) = (format!("{held:?}"), held.expiry());
    let altered = held.clone().expires_at(SystemTime::UNIX_EPOCH);
    rig.run.advance(minutes(45));
    assert_eq!(rig.password().as_deref(), Some("b"));
    assert_eq!(format!("{held:?}"), shown);
    assert_eq!(held.expiry(), expiry);
    assert_ne!(altered.expiry(), expiry);
    let current = rig.manager.credentials().current().unwrap();
    assert_eq!(current.generation(), 2);
}

#[test]
fn a_user_name_that_changes_is_handed_on() {
    let lease = |user: &str, password: &str| Ok(Token::new(user, password).expires_in(hours(1)));
    let mut rig = rig(ScriptedProvider::new()
        .answer(lease("lease-1", "x"))
        .answer(lease("lease-2", "y")));
    rig.run.advance(minutes(45));
    let token = rig.manager.credentials().current().unwrap();
    assert_eq!((token.username(), token.generation()), ("lease-2", 2));
    let rotations = |event: &Event| matches!(event, Event::TokenRefreshed { .. });
    assert_eq!(
        rig.events
            .take()
            .iter()
            .filter(|event| rotations(event))
            .count(),
        2
    );
}
