//! Rule 7: how long each wait of an outage is.

use std::ops::RangeInclusive;
use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{ErrorKind, Event};

use crate::support::{Rig, Source, backoff, down, numbered, rig_with};

/// One attempt per cycle, so that each wait is one of the outage's.
fn outage(
    time: &ManualClock,
    seed: u64,
    answer: impl Fn(usize) -> crate::support::Answer + Send + Sync + 'static,
) -> (Rig, Source) {
    let source = Source::new(time, answer);
    let rig = rig_with(time, source.clone(), |builder| {
        builder
            .retry_policy(backoff(1, millis(1), millis(1)))
            .seed(seed)
    });
    (rig, source)
}

fn share(wait: Duration, low: f64, high: f64) -> RangeInclusive<Duration> {
    wait.mul_f64(low)..=wait.mul_f64(high)
}

#[test]
fn with_a_token_a_wait_is_an_eighth_of_what_is_left_and_ends_soon_after_it() {
    let expiry = hours(1);
    let mut first = Vec::new();
    for seed in 0..20 {
        let (mut rig, source) = outage(&ManualClock::new(), seed, |n| match n {
            1 => numbered(n, hours(1)),
            _ => Err(down()),
        });
        rig.run.advance(expiry + seconds(2));
        let times = source.times();
        let (mut least, mut after) = (Duration::MAX, 0);
        for pair in times[1..].windows(2).filter(|pair| pair[0] < expiry) {
            let (gap, left) = (pair[1] - pair[0], expiry - pair[0]);
            let wait = (left / 8).clamp(seconds(2), minutes(1));
            if pair[1] <= expiry {
                assert!(share(wait, 0.75, 1.25).contains(&gap), "{gap:?}, {left:?}");
                least = least.min(gap);
            } else {
                assert!(pair[1] <= expiry + seconds(2), "{pair:?}");
                after += 1;
            }
        }
        assert!(least < seconds(4), "{least:?}");
        assert_eq!(after, 1, "one attempt right after the expiry");
        first.push(times[2] - times[1]);
    }
    assert!(first.iter().any(|wait| *wait < seconds(52)), "{first:?}");
    assert!(first.iter().any(|wait| *wait > seconds(68)), "{first:?}");
}

#[test]
fn an_outage_shorter_than_what_is_left_of_a_short_token_is_not_seen() {
    for seed in 0..20 {
        let time = ManualClock::new();
        let clock = time.clone();
        let start = redis_authx::Clock::now(&time);
        let source = Source::new(&time, move |n| {
            let down_now = seconds(44)..seconds(50);
            if down_now.contains(&(redis_authx::Clock::now(&clock) - start)) {
                return Err(down());
            }
            numbered(n, seconds(60))
        });
        // The default retries: they are used up within four seconds.
        let mut rig = rig_with(&time, source, |builder| {
            builder
                .retry_policy(redis_authx::ExponentialBackoff::default())
                .seed(seed)
        });
        for _ in 0..100 {
            rig.run.advance(seconds(1));
            assert!(rig.password().is_some(), "seed {seed}");
        }
    }
}

/// Checks the waits from the attempt at `from` on, with no token since `since`.
fn assert_share_of_the_downtime(times: &[Duration], since: Duration, most: Duration) {
    for pair in times.windows(2).filter(|pair| pair[0] >= since) {
        let (gap, down) = (pair[1] - pair[0], pair[0] - since);
        let wait = (down / 8).clamp(seconds(1), most);
        let range = share(wait, 0.5, 1.0);
        assert!(range.contains(&gap), "{gap:?} after {down:?}");
    }
}

#[test]
fn without_a_token_a_wait_is_an_eighth_of_the_downtime_up_to_the_cool_down() {
    for seed in 0..5 {
        let (mut rig, source) = outage(&ManualClock::new(), seed, |_| Err(down()));
        let _need = rig.manager.credentials().need();
        rig.run.advance(hours(1));
        assert_share_of_the_downtime(&source.times(), Duration::ZERO, seconds(15));
        let late = &source.gaps()[60..];
        assert!(late.iter().any(|gap| *gap < 8_500), "{late:?}");
        assert!(late.iter().any(|gap| *gap > 14_000), "{late:?}");
    }
}

#[test]
fn while_no_one_needs_a_token_a_wait_may_be_four_times_as_long() {
    for seed in 0..5 {
        let (mut rig, source) = outage(&ManualClock::new(), seed, |_| Err(down()));
        rig.run.advance(hours(2));
        assert_share_of_the_downtime(&source.times(), Duration::ZERO, minutes(1));
        let gaps = source.gaps();
        assert!(gaps.iter().any(|gap| *gap > 55_000), "{gaps:?}");
    }
}

#[test]
fn the_downtime_counts_from_the_expiry_of_the_token() {
    // Without a pause, and where the service has asked for one that lasts beyond
    // the expiry.
    for pause in [None, Some(minutes(20))] {
        let (mut rig, source) = outage(&ManualClock::new(), 7, move |n| match (n, pause) {
            (1, _) => numbered(n, minutes(10)),
            (2, Some(pause)) => Err(down().with_retry_after(pause)),
            _ => Err(down()),
        });
        let _need = rig.manager.credentials().need();
        rig.run.advance(hours(1));
        assert_share_of_the_downtime(&source.times(), minutes(10), seconds(15));
    }
}

/// An hour into an outage in which no one needed a token, right after an attempt.
fn an_hour_down() -> (Rig, Source) {
    let (mut rig, source) = outage(&ManualClock::new(), 7, |_| Err(down()));
    rig.run.advance(hours(1));
    let before = source.requests();
    while source.requests() == before {
        assert!(rig.run.advance_to_next().is_some());
    }
    (rig, source)
}

#[test]
fn a_need_pulls_the_attempt_forward() {
    for by_get in [false, true] {
        let (mut rig, source) = an_hour_down();
        rig.run.advance(seconds(2));
        let credentials = rig.manager.credentials();
        let need = (!by_get).then(|| credentials.need());
        if by_get {
            rig.run.spawn(async move {
                let _ = credentials.get(minutes(1)).await;
            });
        }
        let before = source.requests();
        rig.run.advance(seconds(13));
        let gap = source.gaps()[before - 1];
        assert!((7_500..=15_000).contains(&gap), "{gap} ms");
        drop(need);
    }
}

#[test]
fn a_need_that_comes_late_in_a_wait_has_the_attempt_made_at_once() {
    let (mut rig, source) = an_hour_down();
    rig.run.advance(seconds(20));
    let before = source.requests();
    let _need = rig.manager.credentials().need();
    rig.run.settle();
    assert_eq!(source.requests(), before + 1);
}

#[test]
fn needs_that_come_and_go_do_not_raise_the_rate() {
    let (mut rig, source) = an_hour_down();
    let before = source.requests();
    for _ in 0..6_000 {
        drop(rig.manager.credentials().need());
        let _needs: Vec<_> = (0..3).map(|_| rig.manager.credentials().need()).collect();
        rig.run.advance(millis(100));
    }
    let gaps = &source.gaps()[before - 1..];
    assert!(gaps.len() >= 39, "a need counts");
    assert!(gaps.iter().all(|gap| *gap >= 7_500), "{gaps:?}");
}

#[test]
fn fatal_errors_slow_attempts_down_step_by_step() {
    for kind in [ErrorKind::Rejected, ErrorKind::Misconfigured] {
        for needed in [false, true] {
            let (mut rig, source) = outage(&ManualClock::new(), 7, move |_| Err(kind.into()));
            let _need = needed.then(|| rig.manager.credentials().need());
            rig.run.advance(hours(1));
            let steps = [5, 15, 45, 135].into_iter().chain(std::iter::repeat(300));
            let gaps = source.gaps();
            assert!(gaps.len() > 10, "{gaps:?}");
            for (gap, step) in gaps.into_iter().zip(steps) {
                let range = step * 800..=step * 1200;
                assert!(range.contains(&gap), "{gap} ms, not about {step} s");
            }
        }
    }
}

#[test]
fn the_longest_wait_after_fatal_errors_is_a_setting() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(ErrorKind::Rejected.into()));
    let policy = crate::support::exact(|policy| policy.fatal_cool_down(seconds(2)));
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.refresh_policy(policy)
    });
    rig.run.advance(minutes(5));
    let gaps = source.gaps();
    assert!(
        gaps.iter().all(|gap| (1_600..=2_400).contains(gap)),
        "{gaps:?}"
    );
}

#[test]
fn an_exhausted_cycle_is_reported_once_per_outage() {
    let (mut rig, source) = outage(&ManualClock::new(), 7, |n| match n {
        50 => numbered(n, hours(1)),
        _ => Err(down()),
    });
    let exhausted = |rig: &Rig| {
        let events = rig.events.take();
        let of_kind = |event: &&Event| matches!(event, Event::CycleExhausted { .. });
        let waits = events.iter().filter_map(|event| match event {
            Event::AttemptFailed { retry_in, .. } => Some(*retry_in),
            _ => None,
        });
        assert!(waits.into_iter().all(|wait| wait.is_some()));
        events.iter().filter(of_kind).count()
    };
    while source.requests() < 50 {
        rig.run.advance(seconds(1));
    }
    assert_eq!(exhausted(&rig), 1);
    rig.run.advance(hours(2));
    assert_eq!(exhausted(&rig), 1, "the next outage");
}

#[test]
fn the_wait_that_is_reported_is_the_one_that_follows() {
    let (mut rig, source) = outage(&ManualClock::new(), 7, |n| match n % 3 {
        0 => Err(ErrorKind::Rejected.into()),
        _ => Err(down().with_retry_after(seconds(4))),
    });
    rig.run.advance(hours(1));
    let reported: Vec<_> = rig
        .events
        .take()
        .into_iter()
        .filter_map(|event| match event {
            Event::AttemptFailed { retry_in, .. } => Some(retry_in.unwrap().as_millis()),
            _ => None,
        })
        .collect();
    let gaps = source.gaps();
    assert!(gaps.len() > 20);
    for (reported, gap) in reported.iter().zip(gaps) {
        assert!(reported.abs_diff(gap) <= 1, "{reported} ms, {gap} ms");
    }
}
