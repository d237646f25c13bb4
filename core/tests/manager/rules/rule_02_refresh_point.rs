//! Rule 2: when a token is renewed.

use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};

use crate::support::{Source, exact, numbered, rig, rig_with};

/// The time from the first token, of this life, to the next request.
fn renewed_after(
    lifetime: Duration,
    ratio: f64,
    min_time_left: Duration,
    min_refresh_interval: Duration,
) -> Duration {
    let time = ManualClock::new();
    let source = Source::new(&time, move |n| numbered(n, lifetime));
    let policy = exact(|policy| {
        policy
            .expiration_refresh_ratio(ratio)
            .min_time_left(min_time_left)
            .min_refresh_interval(min_refresh_interval)
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.refresh_policy(policy)
    });
    while source.requests() < 2 {
        assert!(rig.run.advance_to_next().is_some(), "never renewed");
    }
    source.times()[1]
}

#[test]
fn by_default_after_three_quarters_and_not_a_millisecond_sooner() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(45) - millis(1));
    assert_eq!(source.requests(), 1);
    rig.run.advance(millis(1));
    assert_eq!(source.requests(), 2);
    assert_eq!(rig.password().as_deref(), Some("token-2"));
}

#[test]
fn the_lower_bound_wins_where_it_is_sooner() {
    assert_eq!(
        renewed_after(hours(1), 1.0, minutes(3), seconds(1)),
        minutes(57)
    );
    assert_eq!(
        renewed_after(hours(1), 0.5, minutes(3), seconds(1)),
        minutes(30)
    );
}

#[test]
fn a_lower_bound_not_below_the_lifetime_is_left_out() {
    let bound = minutes(3);
    assert_eq!(
        renewed_after(seconds(60), 0.75, bound, seconds(1)),
        seconds(45)
    );
    assert_eq!(renewed_after(bound, 0.75, bound, seconds(1)), bound * 3 / 4);
}

#[test]
fn a_lower_bound_counts_for_at_most_half_of_a_lifetime() {
    let bound = minutes(3);
    assert_eq!(
        renewed_after(bound + seconds(1), 0.75, bound, seconds(1)),
        millis(90_500)
    );
    for life in 181..3600 {
        let (life, policy) = (seconds(life), exact(|policy| policy));
        let after = policy.refresh_after(life);
        let latest = (life * 3 / 4).min((life - bound).max(life / 2));
        assert!(latest - after < millis(1), "{life:?}: {after:?}");
    }
}

#[test]
fn the_minimum_interval_keeps_successes_apart() {
    assert_eq!(
        renewed_after(hours(1), 0.0, seconds(0), seconds(7)),
        seconds(7)
    );
    assert_eq!(
        renewed_after(millis(5), 0.75, seconds(0), seconds(1)),
        seconds(1)
    );
}

#[test]
fn it_is_a_share_of_what_is_left_at_the_arrival_of_each_token() {
    let time = ManualClock::new();
    let gate = crate::support::Gate::default();
    let mut rig = rig_with(&time, gate.clone(), |builder| builder);
    rig.run.advance(seconds(8)); // a slow service
    gate.answer(numbered(1, minutes(20)));
    let left = minutes(20) - seconds(8); // a lifetime counts from the request
    rig.run.advance(left * 3 / 4 - millis(1));
    assert_eq!(gate.requests(), 1);
    rig.run.advance(millis(1));
    assert_eq!(gate.requests(), 2);
}

#[test]
fn a_token_that_never_expires_is_not_renewed() {
    let identity = redis_authx::StaticToken::new(redis_authx::Token::new("user", "password"));
    let mut rig = rig(identity);
    assert_eq!(rig.password().as_deref(), Some("password"));
    assert_eq!(rig.time.timers(), 0);
    assert_eq!(rig.run.advance_to_next(), None);
    assert_eq!(rig.manager.status().expires_in, None);
}
