//! A session is renewed by its own end, not by each rotation.

use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{ReauthPolicy, ReauthPolicyBuilder, SessionRule, Token};

use super::fleet::{Act, Fleet, Reply, auth, done};

/// Sessions by this rule, without stagger.
fn fleet(rule: SessionRule) -> Fleet {
    fleet_with(ReauthPolicy::builder().stagger(0.0), rule)
}

fn fleet_with(policy: ReauthPolicyBuilder, rule: SessionRule) -> Fleet {
    let time = ManualClock::new();
    let policy = policy.build().expect("valid settings");
    Fleet::with(&time, policy, move |n| {
        Ok(Token::new("user", format!("token-{n}"))
            .expires_in(minutes(15))
            .session(rule))
    })
}

#[test]
fn one_that_lasts_is_renewed_after_three_quarters_of_it() {
    let mut fleet = fleet(SessionRule::Lasts(hours(12)));
    let session = fleet.join(done);
    assert_eq!(session.status().expires_in, Some(hours(12)));
    fleet.run.advance(hours(24));
    assert!(fleet.source.requests() > 96);
    assert_eq!(
        fleet.acts(),
        [(hours(9), Act::Auth), (hours(18), Act::Auth)]
    );
    assert_eq!(session.status().expires_in, Some(hours(6)));
}

#[test]
fn those_opened_together_are_spread_and_none_is_later() {
    let rule = SessionRule::Lasts(hours(12));
    let mut fleet = fleet_with(ReauthPolicy::builder(), rule);
    let _sessions: Vec<_> = (0..100).map(|_| fleet.join(done)).collect();
    fleet.run.advance(hours(9));
    let times: Vec<Duration> = fleet.asked().iter().map(|asked| asked.at).collect();
    assert_eq!(times.len(), 100);
    // A quarter of the three hours left.
    let (first, last) = (hours(9) - minutes(45), hours(9));
    assert!(times.iter().all(|at| (first..=last).contains(at)));
    let early = times.iter().filter(|at| **at < first + minutes(15)).count();
    assert!((8..60).contains(&early), "{early} in the first third");
}

#[test]
fn one_that_lasts_is_replaced_when_its_renewal_fails() {
    let mut fleet = fleet(SessionRule::Lasts(hours(12)));
    let _session = fleet.join(auth(Reply::Hang));
    fleet.run.advance(hours(12));
    let acts = fleet.acts();
    let at = hours(9) + hours(3) * 3 / 4;
    let last = acts.last().unwrap();
    assert_eq!(last.1, Act::Replace);
    assert!(last.0 >= at && last.0 <= at + seconds(1), "{last:?}");
}

#[test]
fn one_without_an_end_is_never_renewed_but_replaced_when_lost() {
    let mut fleet = fleet(SessionRule::Unbounded);
    let session = fleet.join(done);
    assert_eq!(session.status().expires_in, None);
    fleet.run.advance(hours(48));
    assert_eq!(fleet.acts(), []);
    session.disconnect();
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(hours(48), Act::Replace)]);
    fleet.run.advance(hours(48));
    assert_eq!(fleet.acts(), []);
}

#[test]
fn one_that_is_said_to_last_no_time_makes_no_loop() {
    for lasts in [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_millis(1),
    ] {
        let mut fleet = fleet(SessionRule::Lasts(lasts));
        let _session = fleet.join(done);
        fleet.run.advance(minutes(1));
        let tries = fleet.acts().len();
        assert!((1..=700).contains(&tries), "{lasts:?}: {tries}");
    }
}

#[test]
fn one_that_lasts_for_ever_overflows_nothing() {
    let mut fleet = fleet(SessionRule::Lasts(Duration::MAX));
    let _session = fleet.join(done);
    fleet.run.advance(hours(48));
    assert_eq!(fleet.acts(), []);
}
