use std::time::Duration;

use redis_authx::RefreshPolicy;
use redis_authx::testing::{hours, millis, minutes};

fn policy(ratio: f64, min_time_left: Duration) -> RefreshPolicy {
    RefreshPolicy::builder()
        .expiration_refresh_ratio(ratio)
        .min_time_left(min_time_left)
        .build()
        .expect("valid settings")
}

fn after(ratio: f64, lifetime: Duration) -> Duration {
    policy(ratio, Duration::ZERO).refresh_after(lifetime)
}

#[test]
fn the_whole_life_is_held_back_by_the_lower_bound() {
    assert_eq!(
        policy(1.0, minutes(10)).refresh_after(hours(1)),
        minutes(50)
    );
}

#[test]
fn a_life_of_about_the_lower_bound_goes_by_the_ratio() {
    let policy = policy(0.5, minutes(3));
    assert_eq!(policy.refresh_after(minutes(3)), minutes(3) / 2);
    assert_eq!(policy.refresh_after(minutes(3) + millis(2)), millis(90_001));
    assert_eq!(policy.refresh_after(minutes(3) - millis(2)), millis(89_999));
}

#[test]
fn lives_of_about_a_millisecond_are_rounded_down() {
    let micros = Duration::from_micros;
    for (ratio, lifetime, expected) in [
        (1.0, micros(999), 0),
        (1.0, millis(1), 1),
        (1.0, micros(1001), 1),
        (0.5, micros(1999), 0),
        (0.5, millis(2), 1),
        (0.75, millis(7), 5),
        (1.0, Duration::from_nanos(1), 0),
    ] {
        assert_eq!(
            after(ratio, lifetime),
            millis(expected),
            "{ratio} of {lifetime:?}"
        );
    }
}

#[test]
fn a_tiny_share_of_a_long_life_and_many_digits_are_exact() {
    let year = hours(24 * 365);
    assert_eq!(after(0.000_000_001, year), millis(31));
    assert_eq!(after(1e-18, year), Duration::ZERO);
    assert_eq!(after(f64::MIN_POSITIVE, year), Duration::ZERO);
    assert_eq!(after(0.123_456_789_012_345, hours(1)), millis(444_444));
    assert_eq!(after(0.999_999_999, hours(1)), millis(3_599_999));
}

#[test]
fn many_threads_get_the_same_answer() {
    let policy = policy(0.57, minutes(3));
    let expected: Vec<Duration> = (0..500)
        .map(|seconds| policy.refresh_after(Duration::from_secs(7 * seconds)))
        .collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (seconds, expected) in (0..).zip(&expected) {
                    let lifetime = Duration::from_secs(7 * seconds);
                    assert_eq!(policy.refresh_after(lifetime), *expected);
                }
            });
        }
    });
}
