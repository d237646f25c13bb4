//! Without a valid token nothing is tried; with the next one all is healed.

use redis_authx::ReauthPolicy;
use redis_authx::testing::{ManualClock, hours, minutes, seconds};

use super::fleet::{Act, Fleet, done};
use crate::support::{down, numbered};

/// A token of ten minutes, then an outage until request `back`.
fn fleet(back: usize) -> Fleet {
    let time = ManualClock::new();
    Fleet::with(&time, ReauthPolicy::default(), move |n| {
        if n == 1 || n >= back {
            numbered(n, minutes(10))
        } else {
            Err(down())
        }
    })
}

#[test]
fn nothing_is_tried_in_an_outage_and_all_are_healed_by_the_next_token() {
    let mut fleet = fleet(80);
    let sessions: Vec<_> = (0..10).map(|_| fleet.join(done)).collect();
    fleet.run.advance(minutes(10));
    // The server closes them, as their token has expired.
    for session in &sessions[..5] {
        session.disconnect();
    }
    let mut half_minutes = 0;
    while fleet.manager.credentials().current().is_err() {
        assert_eq!(fleet.asked(), []);
        fleet.run.advance(seconds(30));
        half_minutes += 1;
        assert!(half_minutes < 100, "the outage does not end");
    }
    fleet.run.settle();
    let asked = fleet.asked();
    assert_eq!(asked.len(), 10);
    assert!(asked.iter().all(|asked| asked.act == Act::Replace));
    for session in &sessions {
        assert_eq!(session.status().generation, 2);
        assert!(session.status().expires_in.unwrap() > minutes(9));
    }
}

#[test]
fn a_session_whose_end_has_passed_is_replaced_and_not_re_authenticated() {
    let mut fleet = Fleet::new(hours(1));
    let expired = fleet.manager.credentials().current().unwrap();
    fleet.run.advance(hours(1) + minutes(1));
    let _late = fleet.join_with(&expired, done);
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(hours(1) + minutes(1), Act::Replace)]);
}

#[test]
fn a_session_lost_in_an_outage_waits_for_the_token() {
    let mut fleet = fleet(80);
    let session = fleet.join(done);
    fleet.run.advance(minutes(11));
    assert!(fleet.manager.credentials().current().is_err());
    session.disconnect();
    fleet.run.settle();
    assert_eq!(fleet.acts(), []);
    while fleet.manager.credentials().current().is_err() {
        assert_eq!(fleet.acts(), []);
        fleet.run.advance(seconds(1));
    }
    fleet.run.settle();
    let acts = fleet.acts();
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].1, Act::Replace);
}
