//! Rule 3: a renewal moves earlier by up to the jitter, never later.

use std::time::Duration;

use redis_authx::RefreshPolicy;
use redis_authx::testing::{ManualClock, hours, minutes};

use crate::support::{Source, numbered, rig_with};

fn first_renewal(seed: u64, jitter: f64) -> Duration {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let policy = RefreshPolicy::builder().refresh_jitter(jitter).build();
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder
            .seed(seed)
            .refresh_policy(policy.expect("valid settings"))
    });
    while source.requests() < 2 {
        assert!(rig.run.advance_to_next().is_some(), "never renewed");
    }
    source.times()[1]
}

#[test]
fn a_fleet_renews_in_the_last_twentieth_of_the_wait_and_never_later() {
    let point = minutes(45);
    let renewals: Vec<Duration> = (0..400).map(|seed| first_renewal(seed, 0.05)).collect();
    let earliest = point.mul_f64(0.95);
    for at in &renewals {
        assert!((earliest..=point).contains(at), "{at:?}");
    }
    // Each fifth of the window gets about a fifth of the fleet.
    let width = (point - earliest).as_secs_f64();
    let mut fifths = [0; 5];
    for at in &renewals {
        let place = (*at - earliest).as_secs_f64() / width * 5.0;
        fifths[(place as usize).min(4)] += 1;
    }
    assert!(fifths.iter().all(|count| *count > 50), "{fifths:?}");
}

#[test]
fn without_jitter_all_renew_at_the_same_moment() {
    for seed in 0..20 {
        assert_eq!(first_renewal(seed, 0.0), minutes(45));
    }
}

#[test]
fn full_jitter_still_keeps_the_minimum_interval() {
    for seed in 0..200 {
        let at = first_renewal(seed, 1.0);
        assert!(at >= Duration::from_secs(1) && at <= minutes(45), "{at:?}");
    }
}
