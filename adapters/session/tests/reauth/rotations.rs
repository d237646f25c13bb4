//! One `AUTH` a session and rotation, spread over time.

use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{Event, ReauthPolicy};
use redis_authx_session::Reauthenticator;

use super::fleet::{Act, Asked, Fleet, Reply, done};
use crate::support::numbered;

#[test]
fn one_auth_a_session_and_rotation() {
    let mut fleet = Fleet::new(hours(1));
    let sessions: Vec<_> = (0..20).map(|_| fleet.join(done)).collect();
    fleet.run.settle();
    assert_eq!(fleet.asked(), [], "each has just logged in");
    for generation in 2..22 {
        fleet.run.advance(minutes(45));
        let asked = fleet.asked();
        let mut rest = asked.clone();
        for session in &sessions {
            let of_it = |asked: &Asked| asked.session == session.number();
            let times = rest.iter().filter(|asked| of_it(asked)).count();
            // What was asked later than the rotation shows up in the next.
            assert!(times <= 1, "{asked:?}");
            rest.retain(|asked| !of_it(asked));
        }
        assert!(asked.iter().all(|asked| asked.act == Act::Auth));
        fleet.run.advance(Duration::ZERO);
        assert_eq!(fleet.manager.status().generation, generation);
    }
    fleet.run.advance(minutes(10));
    for session in &sessions {
        let status = session.status();
        assert_eq!(status.generation, 21);
        assert!(status.last_error.is_none());
        assert_eq!(status.expires_in, Some(minutes(50)));
    }
    let done = |event: &Event| matches!(event, Event::Reauthenticated { .. });
    let events = fleet.events.take();
    assert_eq!(events.iter().filter(|event| done(event)).count(), 20 * 20);
}

#[test]
fn the_first_session_is_served_at_once() {
    let mut fleet = Fleet::new(hours(1));
    let _session = fleet.join(done);
    fleet.run.advance(minutes(45));
    assert_eq!(fleet.acts(), [(minutes(45), Act::Auth)]);
}

#[test]
fn a_hundred_are_spread_over_a_quarter_of_the_time_left() {
    let mut fleet = Fleet::new(hours(1));
    let _sessions: Vec<_> = (0..100).map(|_| fleet.join(done)).collect();
    fleet.run.advance(minutes(44));
    assert_eq!(fleet.asked(), []);
    fleet.run.advance(minutes(14));
    let times: Vec<Duration> = fleet.asked().iter().map(|asked| asked.at).collect();
    assert_eq!(times.len(), 100);
    let window = minutes(15) / 4;
    for (place, at) in (0u32..).zip(&times) {
        assert_eq!(*at, minutes(45) + window * place / 100);
    }
    assert!(fleet.events.take().iter().any(|event| matches!(
        event,
        Event::Staggered { connections: 100, window: told, .. } if *told == window
    )));
}

#[test]
fn without_stagger_all_go_at_once_within_the_limit() {
    let policy = ReauthPolicy::builder()
        .stagger(0.0)
        .max_in_flight(8)
        .build();
    let time = ManualClock::new();
    let mut fleet = Fleet::with(&time, policy.unwrap(), |n| numbered(n, hours(1)));
    let slow = |_, _| Reply::DoneAfter(seconds(1));
    let _sessions: Vec<_> = (0..50).map(|_| fleet.join(slow)).collect();
    fleet.run.advance(minutes(45));
    assert_eq!(fleet.open(), 8);
    fleet.run.advance(minutes(1));
    assert_eq!(fleet.most_open(), 8);
    let asked = fleet.asked();
    assert_eq!(asked.len(), 50);
    // Eight a second.
    assert_eq!(asked[49].at, minutes(45) + seconds(6));
}

#[test]
fn by_default_no_more_than_64_run_and_half_of_them_may_be_replacements() {
    let mut fleet = Fleet::new(hours(1));
    let _sessions: Vec<_> = (0..200)
        .map(|_| fleet.join(|_, _| Reply::DoneAfter(seconds(4))))
        .collect();
    for session in &_sessions {
        session.disconnect();
    }
    fleet.run.settle();
    assert_eq!(fleet.open(), 32);
    fleet.run.advance(minutes(1));
    assert_eq!(fleet.most_open(), 32);
    assert_eq!(fleet.asked().len(), 200);

    let mut fleet = Fleet::with(
        &ManualClock::new(),
        ReauthPolicy::builder().stagger(0.0).build().unwrap(),
        |n| numbered(n, hours(1)),
    );
    let _sessions: Vec<_> = (0..200)
        .map(|_| fleet.join(|_, _| Reply::DoneAfter(seconds(4))))
        .collect();
    fleet.run.advance(minutes(46));
    assert_eq!(fleet.most_open(), 64);
    assert_eq!(fleet.asked().len(), 200);
}

#[test]
fn connections_to_a_dead_node_do_not_hold_up_the_others() {
    let mut fleet = Fleet::new(hours(1));
    let dead: Vec<_> = (0..1000).map(|_| fleet.join(|_, _| Reply::Hang)).collect();
    let healthy = fleet.join(done);
    fleet.run.advance(minutes(44));
    dead.iter().for_each(|session| session.disconnect());
    fleet.run.advance(minutes(5));
    assert_eq!(healthy.status().generation, 2);
    let of_healthy = |asked: &&Asked| asked.session == healthy.number();
    let asked = fleet.asked();
    let first = asked.iter().find(of_healthy).unwrap();
    // At its turn, within the window of a quarter of the 15 minutes left.
    assert!(first.at <= minutes(45) + minutes(15) / 4, "{first:?}");
}

#[test]
fn a_session_that_joins_with_an_older_token_is_renewed_at_once() {
    let mut fleet = Fleet::new(hours(1));
    let old = fleet.manager.credentials().current().unwrap();
    fleet.run.advance(minutes(50));
    assert_eq!(fleet.asked(), []);
    let late = fleet.join_with(&old, done);
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(minutes(50), Act::Auth)]);
    assert_eq!(late.status().generation, 2);
}

#[test]
fn a_re_authenticator_of_credentials_that_have_seen_the_token_knows_it() {
    use futures::FutureExt;
    let mut fleet = Fleet::new(hours(1));
    let mut credentials = fleet.manager.credentials();
    assert!(credentials.changed().now_or_never().is_some());
    let runtime = credentials.runtime().unwrap();
    fleet.reauth = Reauthenticator::spawn(&credentials, ReauthPolicy::default(), runtime).unwrap();
    let session = fleet.join(done);
    session.disconnect();
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(Duration::ZERO, Act::Replace)]);
}

#[test]
fn the_same_token_again_makes_nobody_re_authenticate() {
    let time = ManualClock::new();
    let mut fleet = Fleet::with(&time, ReauthPolicy::default(), |_| {
        Ok(redis_authx::Token::new("user", "same").expires_in(hours(1)))
    });
    let _session = fleet.join(done);
    fleet.run.advance(hours(24));
    assert!(fleet.source.requests() > 24);
    assert_eq!(fleet.asked(), []);
}

#[test]
fn a_rotation_while_an_auth_is_under_way_is_caught_up_with_at_once() {
    let mut fleet = Fleet::new(hours(1));
    let session = fleet.join(|_, call| match call {
        1 => Reply::DoneAfter(seconds(4)),
        _ => Reply::Done,
    });
    fleet.run.advance(minutes(45));
    fleet.manager.refresh();
    fleet.run.advance(seconds(1));
    assert_eq!(fleet.manager.status().generation, 3);
    fleet.run.advance(seconds(3));
    let generations: Vec<u64> = fleet.asked().iter().map(|asked| asked.generation).collect();
    assert_eq!(generations, [2, 3]);
    assert_eq!(session.status().generation, 3);
}
