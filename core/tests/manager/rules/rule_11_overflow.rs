//! Rule 11: whatever a server sends, there is a result or an error.

use std::time::{Duration, SystemTime};

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{
    Clock, ErrorKind, ExponentialBackoff, ManagerState, Moment, ProviderError, RefreshPolicy,
    SessionRule, Token,
};

use crate::support::{Answer, Rig, Source, exact, rig_with};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

fn a_day_with(answer: Answer) -> (Rig, Source) {
    let time = ManualClock::new();
    let source = Source::new(&time, move |_| answer.clone());
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(hours(24));
    (rig, source)
}

fn token() -> Token {
    Token::new("user", "password")
}

/// The latest, or earliest, time that the platform knows, to the power of two.
fn extreme(forward: bool) -> SystemTime {
    let mut time = SystemTime::UNIX_EPOCH;
    for bit in (0..64).rev() {
        let by = Duration::from_secs(1 << bit);
        let moved = if forward {
            time.checked_add(by)
        } else {
            time.checked_sub(by)
        };
        time = moved.unwrap_or(time);
    }
    time
}

#[test]
fn any_lifetime_is_a_token_or_a_failure() {
    for (lifetime, state) in [
        (Duration::ZERO, ManagerState::Unavailable),
        (Duration::from_secs(u64::MAX), ManagerState::Valid),
        (Duration::MAX, ManagerState::Valid),
        (1000 * YEAR, ManagerState::Valid),
    ] {
        let (rig, _) = a_day_with(Ok(token().expires_in(lifetime)));
        assert_eq!(rig.manager.status().state, state, "{lifetime:?}");
    }
}

#[test]
fn any_expiry_is_a_token_or_a_failure() {
    for (expiry, state) in [
        (SystemTime::UNIX_EPOCH, ManagerState::Unavailable),
        (SystemTime::UNIX_EPOCH - YEAR, ManagerState::Unavailable),
        (extreme(false), ManagerState::Unavailable),
        (extreme(true), ManagerState::Valid),
    ] {
        let (rig, source) = a_day_with(Ok(token().expires_at(expiry)));
        assert_eq!(rig.manager.status().state, state, "{expiry:?}");
        let calm = if state == ManagerState::Valid {
            1
        } else {
            20_000
        };
        assert!(source.requests() <= calm, "{}", source.requests());
    }
}

#[test]
fn a_far_token_is_renewed_within_ten_years() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Ok(token().expires_in(Duration::MAX)));
    let rig = rig_with(&time, source, |builder| builder);
    assert_eq!(rig.manager.status().expires_in, Some(10 * YEAR));
}

#[test]
fn any_retry_after_and_any_session_rule_are_harmless() {
    for wait in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let error = ProviderError::new(ErrorKind::Throttled).with_retry_after(wait);
        let (rig, source) = a_day_with(Err(error));
        assert!(source.requests() >= 20, "an hour and a fifth at most");
        assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    }
    for lasts in [Duration::ZERO, Duration::MAX] {
        let rule = SessionRule::Lasts(lasts);
        let (rig, _) = a_day_with(Ok(token().expires_in(hours(1)).session(rule)));
        assert_eq!(rig.manager.status().state, ManagerState::Valid);
    }
}

#[test]
fn the_largest_settings_overflow_nothing() {
    let most = 10 * YEAR;
    let policy = exact(|policy| {
        policy
            .expiration_refresh_ratio(1.0)
            .min_time_left(most)
            .min_refresh_interval(minutes(1))
            .request_timeout(most)
            .cool_down(most)
            .fatal_cool_down(most)
    });
    let retry = ExponentialBackoff::builder()
        .max_attempts(u32::MAX)
        .initial_delay(most)
        .max_delay(most)
        .backoff_multiplier(f64::MAX)
        .jitter(1.0)
        .build()
        .unwrap();
    // The refresh is the second request. After a fatal error, attempts are 5 s,
    // 15 s, 45 s … apart.
    for (answer, requests) in [
        (Ok(token().expires_in(Duration::MAX)), 2..=2),
        (Err(ErrorKind::Other.into()), 2..=2),
        (Err(ErrorKind::Rejected.into()), 6..=8),
    ] {
        let time = ManualClock::new();
        let source = Source::new(&time, move |_| answer.clone());
        let mut rig = rig_with(&time, source.clone(), |builder| {
            builder
                .refresh_policy(policy.clone())
                .retry_policy(retry.clone())
        });
        rig.manager.refresh();
        rig.run.settle();
        let credentials = rig.manager.credentials();
        assert!(credentials.get_blocking(Duration::ZERO).is_ok() == credentials.current().is_ok());
        rig.run.advance(hours(1));
        let made = source.requests();
        assert!(requests.contains(&made), "{made}");
    }
}

#[test]
fn durations_out_of_range_are_refused_with_their_field() {
    let refused = |error: redis_authx::ConfigError, field: &str| {
        assert_eq!(error.field(), field);
        assert!(error.found().is_some());
    };
    let policy = RefreshPolicy::builder;
    for wrong in [Duration::ZERO, Duration::MAX, Duration::from_micros(999)] {
        refused(
            policy().min_refresh_interval(wrong).build().unwrap_err(),
            "min_refresh_interval",
        );
        refused(
            policy().request_timeout(wrong).build().unwrap_err(),
            "request_timeout",
        );
        refused(policy().cool_down(wrong).build().unwrap_err(), "cool_down");
        refused(
            policy().fatal_cool_down(wrong).build().unwrap_err(),
            "fatal_cool_down",
        );
        let retry = ExponentialBackoff::builder().max_delay(wrong);
        refused(retry.build().unwrap_err(), "max_delay");
    }
    for wrong in [10 * YEAR + millis(1), Duration::MAX] {
        let error = policy().min_time_left(wrong).build().unwrap_err();
        refused(error, "min_time_left");
    }
    // A token is renewed before it ends, if it lives for two minutes or more.
    let error = policy()
        .min_refresh_interval(millis(60_001))
        .build()
        .unwrap_err();
    refused(error, "min_refresh_interval");
    let widest = policy()
        .min_refresh_interval(minutes(1))
        .min_time_left(10 * YEAR);
    assert!(widest.build().is_ok());
    for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        let error = policy().refresh_jitter(wrong).build().unwrap_err();
        refused(error, "refresh_jitter");
    }
    let retry = ExponentialBackoff::builder().initial_delay(Duration::MAX);
    refused(retry.build().unwrap_err(), "initial_delay");
}

#[test]
fn clock_steps_of_any_size_are_harmless() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Ok(token().expires_in(hours(1))));
    let mut rig = rig_with(&time, source, |builder| builder);
    for by in [1000 * YEAR, 100_000 * YEAR] {
        rig.time.suspend(by);
        rig.run.advance(seconds(40));
        assert_eq!(rig.manager.status().state, ManagerState::Valid);
    }
    let to_before_the_epoch = rig
        .time
        .wall()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        + YEAR;
    rig.time.step_back(to_before_the_epoch);
    rig.run.advance(hours(2));
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
}

#[test]
fn time_left_never_wraps() {
    let now = Moment::now(&ManualClock::new());
    assert_eq!(token().time_left(now), None);
    assert_eq!(
        token().expires_at(extreme(false)).time_left(now),
        Some(Duration::ZERO)
    );
    assert_eq!(
        token().expires_at(now.wall()).time_left(now),
        Some(Duration::ZERO)
    );
    assert_eq!(
        token().expires_at(now.wall() + millis(1)).time_left(now),
        Some(millis(1))
    );
    assert!(
        token()
            .expires_at(extreme(true))
            .time_left(Moment::new(now.monotonic(), extreme(false)))
            .unwrap()
            > YEAR
    );
}
