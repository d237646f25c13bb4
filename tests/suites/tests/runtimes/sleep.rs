//! The clock: what `now` and `sleep_until` owe.

use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use futures::future::{self, Either};
use futures::stream::FuturesUnordered;
use futures::{StreamExt, poll};
use redis_authx::testing::{hours, millis, seconds};
use redis_authx::{Clock, Runtime};

use crate::support::{Bell, TooBusy, on_a_thread, poll_with, task, undisturbed, until};

pub(crate) async fn now_never_goes_back(clock: impl Clock) {
    let mut last = clock.now();
    for _ in 0..10_000 {
        let now = clock.now();
        assert!(now >= last);
        last = now;
    }
    clock.sleep_until(last + millis(5)).await;
    assert!(clock.now() > last, "it stands still");
}

pub(crate) async fn a_sleep_ends_no_earlier_than_its_deadline(clock: impl Clock) {
    for nanos in [1, 999_999, 1_000_001, 3_500_000, 10_000_000] {
        let deadline = clock.now() + Duration::from_nanos(nanos);
        clock.sleep_until(deadline).await;
        assert!(clock.now() >= deadline, "a sleep of {nanos} ns ended early");
    }
}

pub(crate) async fn a_sleep_of_the_past_is_over_at_once(clock: impl Clock) {
    let now = clock.now();
    for deadline in [now, now.checked_sub(seconds(1)).unwrap()] {
        assert!(poll!(clock.sleep_until(deadline)).is_ready());
    }
    let deadline = clock.now() + millis(5);
    let unpolled = clock.sleep_until(deadline);
    clock.sleep_until(deadline).await;
    assert!(poll!(unpolled).is_ready(), "it ended before the first poll");
}

pub(crate) async fn sleeps_end_in_the_order_of_their_deadlines(clock: impl Clock) {
    undisturbed(async |unit| {
        let start = clock.now();
        let sleep = async |units: u32| {
            clock.sleep_until(start + unit * units).await;
            units
        };
        let mut sleeps: FuturesUnordered<_> = [4, 2, 5, 1, 3].map(sleep).into_iter().collect();
        let begun = poll!(sleeps.next()).is_pending();
        TooBusy::unless(begun && clock.now() < start + unit)?;
        assert_eq!(sleeps.collect::<Vec<_>>().await, [1, 2, 3, 4, 5]);
        Ok(())
    })
    .await;
}

/// Whichever of the two began first.
pub(crate) async fn a_long_sleep_holds_up_no_short_one(clock: impl Clock) {
    let long = clock.sleep_until(clock.now() + hours(1));
    let short = clock.sleep_until(clock.now() + millis(10));
    let Either::Right((_, long)) = future::select(long, short).await else {
        panic!("the long sleep was over first");
    };
    let short = clock.sleep_until(clock.now() + millis(10));
    let Either::Left((_, mut long)) = future::select(short, long).await else {
        panic!("the long sleep was over first");
    };
    assert!(poll!(&mut long).is_pending());
}

pub(crate) async fn a_dropped_sleep_wakes_nobody_and_is_forgotten(clock: impl Clock) {
    undisturbed(async |wait| {
        let (bell, waker) = Bell::new();
        let deadline = clock.now() + wait;
        let mut sleep = clock.sleep_until(deadline);
        let begun = poll_with(&mut sleep, &waker).is_pending();
        drop((sleep, waker));
        TooBusy::unless(begun && clock.now() < deadline)?;
        clock.sleep_until(deadline + wait).await;
        assert_eq!(bell.rung(), 0);
        Ok(())
    })
    .await;

    let (bell, waker) = Bell::new();
    let mut sleep = clock.sleep_until(clock.now() + hours(1));
    assert!(poll_with(&mut sleep, &waker).is_pending());
    drop((sleep, waker));
    until(&clock, || Arc::strong_count(&bell) == 1).await;
}

pub(crate) async fn a_sleep_wakes_whoever_polled_it_last(clock: impl Clock) {
    undisturbed(async |wait| {
        let ((first, first_waker), (last, last_waker)) = (Bell::new(), Bell::new());
        let deadline = clock.now() + wait;
        let mut sleep = clock.sleep_until(deadline);
        let begun = poll_with(&mut sleep, &first_waker).is_pending()
            && poll_with(&mut sleep, &last_waker).is_pending();
        TooBusy::unless(begun && clock.now() < deadline)?;
        until(&clock, || last.rung() > 0).await;
        assert_eq!(first.rung(), 0);
        assert!(clock.now() >= deadline);
        assert!(poll_with(&mut sleep, &last_waker).is_ready());
        Ok(())
    })
    .await;
}

pub(crate) async fn a_sleep_may_move_to_another_thread(clock: impl Clock) {
    let deadline = clock.now() + millis(50);
    let mut sleep = clock.sleep_until(deadline);
    let _ = poll_with(&mut sleep, Waker::noop());
    on_a_thread(move || futures::executor::block_on(sleep)).await;
    assert!(clock.now() >= deadline);
}

/// Ten tasks of a thousand sleeps each.
pub(crate) async fn ten_thousand_sleeps_all_end(runtime: impl Runtime + Clone) {
    let start = runtime.now();
    let thousand = |_| {
        let clock = runtime.clone();
        task(&runtime, async move {
            let sleep = async |number: u64| {
                let deadline = start + millis(number % 200);
                clock.sleep_until(deadline).await;
                clock.now() >= deadline
            };
            let sleeps: FuturesUnordered<_> = (0..1000).map(sleep).collect();
            sleeps
                .filter(|in_time| future::ready(*in_time))
                .count()
                .await
        })
    };
    let counts = future::join_all((0..10).map(thousand)).await;
    assert_eq!(counts, [1000; 10]);
}

/// The core asks for ten years at most.
pub(crate) async fn a_sleep_far_in_the_future_is_harmless(clock: impl Clock) {
    let (bell, waker) = Bell::new();
    let mut sleep = clock.sleep_until(clock.now() + hours(10 * 365 * 24));
    assert!(poll_with(&mut sleep, &waker).is_pending());
    clock.sleep_until(clock.now() + millis(20)).await;
    assert!(poll_with(&mut sleep, &waker).is_pending());
    assert_eq!(bell.rung(), 0);
}
