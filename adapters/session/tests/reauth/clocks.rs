//! Suspends, clock steps and leases, as live connections see them.

use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{Clock, ReauthPolicy, Token};

use super::fleet::{Act, Asked, Fleet, Reply, done};
use crate::support::numbered;

#[test]
fn after_a_suspend_all_are_re_authenticated_in_the_time_left() {
    let mut fleet = Fleet::new(hours(1));
    let sessions: Vec<_> = (0..100).map(|_| fleet.join(done)).collect();
    fleet.run.advance(minutes(10));
    fleet.time.suspend(minutes(49));
    // One command on one of them, and the token has a minute left.
    sessions[0].is_used();
    fleet.run.advance(minutes(1) - seconds(1));
    let asked = fleet.asked();
    assert_eq!(asked.len(), 100);
    assert!(
        asked
            .iter()
            .all(|asked| asked.act == Act::Auth && asked.generation == 2)
    );
    assert!(
        sessions
            .iter()
            .all(|session| session.status().generation == 2)
    );
}

#[test]
fn a_suspend_in_the_middle_of_a_rotation_brings_every_turn_forward() {
    let mut fleet = Fleet::new(hours(1));
    let sessions: Vec<_> = (0..100).map(|_| fleet.join(done)).collect();
    fleet.run.advance(minutes(45) + seconds(1));
    let first = fleet.asked().len();
    assert!((1..5).contains(&first), "{first}");
    fleet.time.suspend(minutes(14));
    sessions[0].is_used();
    fleet.run.settle();
    // Their turns were within the next four minutes.
    assert_eq!(fleet.asked().len(), 100 - first);
}

#[test]
fn a_clock_set_back_does_not_prolong_a_connection() {
    let mut fleet = Fleet::new(hours(1));
    fleet.run.advance(minutes(1));
    fleet.time.step_back(hours(2));
    fleet.run.advance(minutes(1));
    let session = fleet.join(done);
    assert_eq!(session.status().expires_in, Some(minutes(58)));
    let all: Vec<_> = (0..50).map(|_| fleet.join(done)).collect();
    fleet.run.advance(minutes(57));
    assert_eq!(fleet.asked().len(), 51);
    assert!(all.iter().all(|session| session.status().generation == 2));
}

#[test]
fn after_a_suspend_no_connection_is_opened_with_an_expired_token() {
    let mut fleet = Fleet::new(hours(1));
    let sessions = [fleet.join(done), fleet.join(done), fleet.join(done)];
    fleet.run.advance(minutes(5));
    fleet.time.suspend(hours(2));
    for session in &sessions {
        session.disconnect();
    }
    fleet.run.settle();
    let asked = fleet.asked();
    assert_eq!(asked.len(), 3);
    let with_the_new_one = |asked: &Asked| (asked.act, asked.generation) == (Act::Replace, 2);
    assert!(asked.iter().all(with_the_new_one), "{asked:?}");
}

#[test]
fn the_same_token_with_a_later_end_moves_the_end_of_its_sessions() {
    let time = ManualClock::new();
    let mut fleet = Fleet::with(&time, ReauthPolicy::default(), |n| {
        numbered(n.min(1), hours(1))
    });
    let session = fleet.join(done);
    fleet.run.advance(minutes(50));
    // Renewed at 45 minutes: the same secret, for another hour.
    assert_eq!(session.status().generation, 1);
    assert_eq!(session.status().expires_in, Some(minutes(55)));
    assert!(fleet.asked().is_empty());
}

#[test]
fn a_later_end_reaches_a_session_that_logs_in_meanwhile() {
    let time = ManualClock::new();
    let mut fleet = Fleet::with(&time, ReauthPolicy::default(), |n| {
        numbered(n.min(1), hours(1))
    });
    let token = fleet.manager.credentials().current().unwrap();
    let session = fleet.join(|_, _| Reply::DoneAfter(seconds(5)));
    session.disconnect();
    fleet.run.advance(seconds(1));
    fleet.manager.refresh();
    fleet.run.advance(seconds(9));
    let late = fleet.join_with(&token, done);
    fleet.run.settle();
    for session in [session, late] {
        assert_eq!(session.status().expires_in, Some(hours(1) - seconds(9)));
    }
}

#[test]
fn a_token_of_unknown_origin_ends_its_session_too() {
    let mut fleet = Fleet::new(hours(1));
    let unknown = Token::new("user", "").expires_at(fleet.time.wall() + minutes(8));
    let session = fleet.join_with(&unknown, |act, _| match act {
        Act::Auth => Reply::Fail(redis_authx::ReauthErrorKind::Other),
        Act::Replace => Reply::Done,
    });
    assert_eq!(session.status().expires_in, Some(minutes(8)));
    fleet.run.advance(minutes(6));
    fleet.run.advance(seconds(1));
    assert_eq!(session.status().generation, 1);
}

#[test]
fn a_lost_connection_makes_attempts_in_an_outage_more_frequent() {
    let requests = |is_lost: bool| {
        let mut fleet = Fleet::with(&ManualClock::new(), ReauthPolicy::default(), |n| match n {
            1 => numbered(1, hours(1)),
            _ => Err(crate::support::down()),
        });
        let session = fleet.join(done);
        fleet.run.advance(hours(3));
        if is_lost {
            session.disconnect();
        }
        fleet.run.advance(minutes(10));
        let before = fleet.source.requests();
        fleet.run.advance(minutes(60));
        fleet.source.requests() - before
    };
    let (idle, lost) = (requests(false), requests(true));
    assert!(
        lost > 3 * idle,
        "{lost} with a lost connection, {idle} without"
    );
}
