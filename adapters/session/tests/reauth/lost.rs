//! A connection that is gone is replaced.

use std::time::Duration;

use redis_authx::testing::{millis, minutes, seconds};
use redis_authx::{Event, ReauthErrorKind};

use super::fleet::{Act, Fleet, Reply, auth, done};

#[test]
fn it_is_replaced_at_once() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(done);
    fleet.run.advance(minutes(5));
    session.disconnect();
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(minutes(5), Act::Replace)]);
    let id = session.status().connection;
    assert!(fleet.events.take().iter().any(|event| matches!(
        event,
        Event::Replaced { connection, generation: 1, .. } if *connection == id
    )));
}

#[test]
fn one_that_was_given_up_is_reported_with_the_reason() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(|act, _| match act {
        Act::Replace => Reply::Hang,
        Act::Auth => Reply::Done,
    });
    session.give_up(ReauthErrorKind::OutOfStep);
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(Duration::ZERO, Act::Replace)]);
    let status = session.status();
    let why = status.last_error.map(|error| error.kind());
    assert_eq!(why, Some(ReauthErrorKind::OutOfStep));
    assert!(fleet.events.take().iter().any(|event| matches!(
        event,
        Event::ConnectionLost { connection, error, .. }
            if *connection == status.connection && error.kind() == ReauthErrorKind::OutOfStep
    )));
}

#[test]
fn a_false_alarm_replaces_nothing() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(done);
    session.tell_lost();
    fleet.run.advance(minutes(1));
    assert_eq!(fleet.acts(), []);
}

#[test]
fn it_is_tried_with_backoff_until_it_succeeds() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(|act, call| match (act, call) {
        (Act::Replace, 1..=8) => Reply::Fail(ReauthErrorKind::Disconnected),
        _ => Reply::Done,
    });
    session.disconnect();
    fleet.run.advance(minutes(1));
    let acts = fleet.acts();
    let waits: Vec<u128> = acts
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).as_millis())
        .collect();
    assert_eq!(acts[0].0, Duration::ZERO);
    assert_eq!(waits, [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
    assert!(acts.iter().all(|(_, act)| *act == Act::Replace));
    assert!(session.status().last_error.is_none());
}

#[test]
fn a_replacement_that_hangs_is_cancelled_and_tried_again() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(|_, call| if call == 1 { Reply::Hang } else { Reply::Done });
    session.disconnect();
    fleet.run.advance(seconds(10) - millis(1));
    assert_eq!(fleet.open(), 1);
    fleet.run.advance(millis(101));
    assert_eq!(
        fleet.acts(),
        [
            (Duration::ZERO, Act::Replace),
            (seconds(10) + millis(100), Act::Replace)
        ]
    );
    assert_eq!(fleet.open(), 0);
}

#[test]
fn lost_again_while_a_replacement_runs_needs_no_second_one() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(|_, _| Reply::DoneAfter(seconds(2)));
    session.disconnect();
    fleet.run.advance(seconds(1));
    session.tell_lost();
    session.tell_lost();
    fleet.run.advance(minutes(1));
    assert_eq!(fleet.acts(), [(Duration::ZERO, Act::Replace)]);
}

#[test]
fn lost_while_an_auth_runs_is_replaced_after_it() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(auth(Reply::DoneAfter(seconds(2))));
    fleet.run.advance(minutes(45) + seconds(1));
    session.disconnect();
    fleet.run.advance(seconds(1));
    assert_eq!(
        fleet.acts(),
        [
            (minutes(45), Act::Auth),
            (minutes(45) + seconds(2), Act::Replace)
        ]
    );
}

#[test]
fn lost_before_it_was_registered_is_seen_by_itself() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(done);
    session.vanish();
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(Duration::ZERO, Act::Replace)]);
}

#[test]
fn lost_again_at_the_moment_of_its_replacement_is_seen_by_itself() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(|_, call| match call {
        1 => Reply::DoneAndGone,
        _ => Reply::Done,
    });
    session.disconnect();
    fleet.run.advance(minutes(1));
    assert_eq!(
        fleet.acts(),
        [(Duration::ZERO, Act::Replace), (millis(100), Act::Replace)]
    );
}

#[test]
fn a_connection_that_does_not_last_is_replaced_ever_less_often() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(done);
    // Whenever it is looked at, it is gone again.
    let mut replaced = 0;
    for _ in 0..60_000 {
        session.disconnect();
        fleet.run.advance(millis(1));
        replaced += fleet.acts().len();
    }
    assert!((10..40).contains(&replaced), "{replaced} in a minute");
    // One that has lasted is replaced at once again.
    fleet.run.advance(seconds(30));
    let _ = fleet.acts();
    session.disconnect();
    fleet.run.settle();
    assert_eq!(fleet.acts().len(), 1);
}

#[test]
fn the_new_one_is_logged_in_with_the_newest_token() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(done);
    fleet.run.advance(minutes(44));
    session.disconnect();
    fleet.run.advance(minutes(1));
    assert_eq!(session.status().generation, 2);
    session.disconnect();
    fleet.run.settle();
    let generations: Vec<u64> = fleet.asked().iter().map(|asked| asked.generation).collect();
    assert_eq!(generations, [1, 2, 2]);
}
