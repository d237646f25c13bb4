//! Rule 5: retries exactly as configured.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, seconds};
use redis_authx::{
    ErrorKind, Event, ExponentialBackoff, ProviderError, RetryContext, RetryDecision, RetryPolicy,
};

use crate::support::{Source, backoff, down, numbered, rig_with};

#[test]
fn the_attempts_of_a_cycle_come_at_the_configured_delays() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(backoff(6, millis(100), millis(1000)))
    });
    rig.run.advance(seconds(20));
    assert_eq!(source.gaps()[..5], [100, 200, 400, 800, 1000]);
    let exhausted = rig.events.take().into_iter().find_map(|event| match event {
        Event::CycleExhausted { attempts, .. } => Some(attempts),
        _ => None,
    });
    assert_eq!(exhausted, Some(6));
}

#[test]
fn max_attempts_counts_attempts_and_one_means_no_retry() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(backoff(1, millis(100), millis(1000)))
    });
    // The first wait of an outage: half a second to a second.
    rig.run.advance(millis(499));
    assert_eq!(source.requests(), 1);
    assert!(matches!(
        rig.events.take().as_slice(),
        [
            Event::AttemptFailed { attempt: 1, .. },
            Event::CycleExhausted { attempts: 1, .. }
        ]
    ));
    rig.run.advance(millis(501));
    assert_eq!(source.requests(), 2);
}

#[test]
fn attempts_are_counted_anew_after_a_success() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 | 2 | 4 | 5 => Err(down()),
        n => numbered(n, hours(1)),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(backoff(3, millis(100), millis(1000)))
    });
    rig.run.advance(hours(1));
    assert_eq!(source.gaps(), [100, 200, 2_700_000, 100, 200]);
    let recovered: Vec<(u32, Duration)> = rig
        .events
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::Recovered {
                failures, outage, ..
            } => Some((failures, outage)),
            _ => None,
        })
        .collect();
    assert_eq!(recovered, [(2, millis(300)), (2, millis(300))]);
}

#[test]
fn is_retryable_is_told_the_error_and_the_attempts_before_it() {
    let calls: Arc<Mutex<Vec<(ErrorKind, u32)>>> = Arc::default();
    let told = Arc::clone(&calls);
    let retry = ExponentialBackoff::builder()
        .is_retryable(move |error, before| {
            told.lock().unwrap().push((error.kind(), before));
            before < 2
        })
        .jitter(0.0)
        .build();
    let time = ManualClock::new();
    // A fatal error is retried when the closure says so.
    let source = Source::new(&time, |n| match n {
        1 => Err(ErrorKind::Rejected.into()),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(retry.unwrap())
    });
    let told = [
        (ErrorKind::Rejected, 0),
        (ErrorKind::Unavailable, 1),
        (ErrorKind::Unavailable, 2),
        // After the wait of a fatal error, and counted on.
        (ErrorKind::Unavailable, 3),
    ];
    rig.run.advance(seconds(3));
    assert_eq!(source.requests(), 3);
    assert_eq!(*calls.lock().unwrap(), told[..3]);
    rig.run.advance(seconds(5));
    assert_eq!(*calls.lock().unwrap(), told);
}

#[test]
fn by_default_all_but_fatal_errors_are_retried() {
    let retry = ExponentialBackoff::default();
    for (kind, retried) in [
        (ErrorKind::Expired, true),
        (ErrorKind::InvalidResponse, true),
        (ErrorKind::Misconfigured, false),
        (ErrorKind::Other, true),
        (ErrorKind::Rejected, false),
        (ErrorKind::Throttled, true),
        (ErrorKind::Timeout, true),
        (ErrorKind::Unavailable, true),
    ] {
        let error = ProviderError::new(kind);
        let decision = retry.on_failure(&RetryContext::new(1, Duration::ZERO, &error, 0.5));
        let expected = if retried {
            RetryDecision::RetryAfter(millis(250))
        } else {
            RetryDecision::Fatal
        };
        assert_eq!(decision, expected, "{kind:?}");
    }
}

#[test]
fn delays_are_exact_decimals() {
    // 1.001 * 1000.0 is just under 1001 in binary, 1.7 * 1.7 just under 2.89.
    for ms in 1..5000 {
        assert_eq!(backoff(5, millis(ms), hours(1)).delay(1), millis(ms));
    }
    let retry = ExponentialBackoff::builder()
        .initial_delay(millis(1000))
        .backoff_multiplier(1.7)
        .build()
        .unwrap();
    assert_eq!(retry.delay(3), millis(2890));
}

#[derive(Clone, Debug, Default)]
struct Elapsed(Arc<Mutex<Vec<(u32, Duration)>>>);

impl RetryPolicy for Elapsed {
    fn on_failure(&self, context: &RetryContext<'_>) -> RetryDecision {
        assert!((0.0..1.0).contains(&context.sample));
        let mut seen = self.0.lock().expect("whole");
        seen.push((context.attempt, context.elapsed));
        match context.attempt {
            1 => RetryDecision::RetryAfter(seconds(2)),
            2 => RetryDecision::RetryAfter(Duration::ZERO),
            _ => RetryDecision::CoolDown,
        }
    }
}

#[test]
fn a_policy_of_ones_own_is_told_attempt_and_elapsed_time() {
    let policy = Elapsed::default();
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.retry_policy(policy.clone())
    });
    rig.run.advance(seconds(20));
    let seen = policy.0.lock().unwrap().clone();
    // A delay of nothing is 1 ms.
    assert_eq!(
        seen[..3],
        [(1, Duration::ZERO), (2, seconds(2)), (3, millis(2001))]
    );
    // It goes on being asked, and attempts being counted, until one succeeds.
    assert!(seen.len() > 10);
    let times = source.times();
    for (index, (attempt, elapsed)) in seen.into_iter().enumerate() {
        assert_eq!(attempt as usize, index + 1);
        assert_eq!(elapsed, times[index]);
    }
}

#[test]
fn a_replay_with_the_same_seed_is_exact_and_another_seed_differs() {
    let times = |seed| {
        let time = ManualClock::new();
        let source = Source::new(&time, |n| match n % 7 {
            0 => numbered(n, hours(1)),
            _ => Err(down()),
        });
        let mut rig = rig_with(&time, source.clone(), |builder| {
            builder
                .seed(seed)
                .refresh_policy(redis_authx::RefreshPolicy::default())
                .retry_policy(ExponentialBackoff::default())
        });
        rig.run.advance(hours(10));
        source.times()
    };
    assert!(times(1).len() > 50);
    assert_eq!(times(1), times(1));
    assert_ne!(times(1), times(2));
}
