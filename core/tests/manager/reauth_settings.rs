//! Settings that can't work are refused with their name.

use std::time::Duration;

use redis_authx::{ExponentialBackoff, ReauthPolicy};

#[test]
fn each_wrong_setting_is_named() {
    let policy = ReauthPolicy::builder;
    let wrong = [-0.1, 1.1, f64::NAN, f64::INFINITY];
    let mut refused: Vec<_> = wrong
        .iter()
        .flat_map(|share| {
            [
                (policy().stagger(*share).build(), "stagger"),
                (policy().replace_after(*share).build(), "replace_after"),
            ]
        })
        .collect();
    refused.push((policy().max_in_flight(0).build(), "max_in_flight"));
    let never_called = ExponentialBackoff::builder().is_retryable(|_, _| true);
    let built = policy().backoff(never_called.build().unwrap()).build();
    refused.push((built, "backoff.is_retryable"));
    for limit in [Duration::ZERO, Duration::MAX] {
        refused.push((policy().auth_timeout(limit).build(), "auth_timeout"));
        refused.push((policy().replace_timeout(limit).build(), "replace_timeout"));
    }
    for (built, field) in refused {
        let error = built.unwrap_err();
        assert_eq!(error.field(), field);
        assert!(error.found().is_some() && !error.allowed().is_empty());
    }
}

#[test]
fn the_ends_of_each_range_are_allowed() {
    for share in [0.0, 1.0] {
        let policy = ReauthPolicy::builder()
            .stagger(share)
            .replace_after(share)
            .max_in_flight(1)
            .auth_timeout(Duration::from_millis(1))
            .replace_timeout(Duration::from_millis(1));
        assert!(policy.build().is_ok(), "{share}");
    }
}
