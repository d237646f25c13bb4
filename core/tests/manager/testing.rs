//! What the feature `test-util` gives: time in the hand of a test.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis_authx::testing::{
    EventLog, ManualClock, ScriptedProvider, hours, millis, minutes, seconds,
};
use redis_authx::{Clock, ErrorKind, IdentityProvider, Moment, Spawner, Token};

#[test]
fn both_clocks_move_only_when_told() {
    let time = ManualClock::new();
    let (now, wall) = (time.now(), time.wall());
    assert_eq!((time.now(), time.wall()), (now, wall));
    let mut run = time.run(async {});
    run.advance(minutes(1));
    assert_eq!(time.now() - now, minutes(1));
    assert_eq!(time.wall(), wall + minutes(1));
    time.suspend(hours(1));
    assert_eq!(time.now() - now, minutes(1));
    assert_eq!(time.wall(), wall + minutes(1) + hours(1));
    time.step_back(hours(2));
    time.step_forward(seconds(1));
    assert_eq!(time.wall() + hours(1), wall + minutes(1) + seconds(1));
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines_each_at_its_own() {
    let time = ManualClock::new();
    let start = time.now();
    let woken: Arc<Mutex<Vec<(u64, Duration)>>> = Arc::default();
    let mut run = time.run(async {});
    for wait in [30, 10, 20, 10] {
        let (time, woken) = (time.clone(), Arc::clone(&woken));
        run.spawn(async move {
            time.sleep_until(start + millis(wait)).await;
            woken.lock().unwrap().push((wait, time.now() - start));
        });
    }
    assert_eq!(time.timers(), 4);
    assert_eq!(run.advance_to_next(), Some(millis(10)));
    run.advance(hours(1));
    assert_eq!(
        *woken.lock().unwrap(),
        [10, 10, 20, 30].map(|wait| (wait, millis(wait)))
    );
    assert_eq!(run.advance_to_next(), None);
    assert_eq!(time.next_deadline(), None);
}

#[test]
fn a_sleep_of_the_past_is_over_and_a_dropped_one_forgotten() {
    let time = ManualClock::new();
    let mut run = time.run(async {});
    let past = time.sleep_until(time.now());
    run.block_on(past);
    let mut sleep = time.sleep_until(time.now() + hours(1));
    assert!(futures::FutureExt::now_or_never(&mut sleep).is_none());
    assert_eq!(time.timers(), 1);
    drop(sleep);
    assert_eq!(time.timers(), 0);
}

#[test]
fn spawned_tasks_run_with_a_run_and_are_dropped_with_the_last() {
    let time = ManualClock::new();
    let alive = Arc::new(AtomicUsize::new(0));
    let task = |wait| {
        let (time, alive) = (time.clone(), Arc::clone(&alive));
        async move {
            alive.fetch_add(1, Ordering::SeqCst);
            time.sleep_until(time.now() + wait).await;
        }
    };
    time.spawn(Box::pin(task(hours(1)))).unwrap();
    assert_eq!(alive.load(Ordering::SeqCst), 0);
    let first = time.run(task(hours(2)));
    let second = time.run(task(hours(3)));
    assert_eq!(alive.load(Ordering::SeqCst), 3);
    drop(first);
    assert_eq!(time.timers(), 3);
    drop(second);
    assert_eq!(time.timers(), 0);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
#[should_panic(expected = "no timer will bring")]
fn a_future_that_cannot_end_is_reported() {
    ManualClock::new()
        .run(async {})
        .block_on(std::future::pending::<()>());
}

#[test]
#[should_panic(expected = "did not settle")]
fn a_task_that_loops_is_reported() {
    let spins = std::future::poll_fn(|cx| {
        cx.waker().wake_by_ref();
        std::task::Poll::<()>::Pending
    });
    ManualClock::new().run(spins);
}

#[test]
fn a_script_is_followed_step_by_step() {
    let script = ScriptedProvider::new()
        .token("a", seconds(9))
        .error(ErrorKind::Throttled.into())
        .answer(Ok(Token::new("someone", "b")));
    let time = ManualClock::new();
    let ask = || futures::executor::block_on(script.request_token(&time.request()));
    let first = ask().unwrap();
    assert_eq!((first.username(), first.password()), ("user", "a"));
    assert_eq!(first.time_left(Moment::now(&time)), Some(seconds(9)));
    assert_eq!(ask().unwrap_err().kind(), ErrorKind::Throttled);
    assert_eq!(ask().unwrap().username(), "someone");
    assert_eq!(ask().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!((script.requests(), script.open_requests()), (4, 0));
}

#[test]
fn an_event_log_is_emptied_by_taking() {
    let time = ManualClock::new();
    let log = EventLog::new();
    let script = ScriptedProvider::new().token("a", hours(1));
    let (manager, driver) = redis_authx::TokenManager::builder(script)
        .observer(log.clone())
        .build(&time);
    let _run = time.run(driver);
    assert_eq!(log.take().len(), 1);
    assert!(log.take().is_empty());
    assert_eq!(manager.status().refreshes, 1);
}
