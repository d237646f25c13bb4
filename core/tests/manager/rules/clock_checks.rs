//! Rule 10: when the clocks are compared, and what that costs.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::Context;
use std::time::{Duration, Instant, SystemTime};

use futures::task::{ArcWake, waker};
use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{Clock, Driver, ErrorKind, Event, ManagerState, Sleep, Token, TokenManager};

use crate::support::{Gate, Rig, Source, down, exact, numbered, rig_with};

fn hourly() -> (Rig, Source) {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let rig = rig_with(&time, source.clone(), |builder| builder);
    (rig, source)
}

fn steps(rig: &Rig) -> usize {
    let events = rig.events.take();
    let of_kind = |event: &&Event| matches!(event, Event::ClockStepped { .. });
    events.iter().filter(of_kind).count()
}

/// How often the driver is polled in an hour of hourly tokens.
fn polls_in_an_hour(connections: usize) -> usize {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let (manager, mut driver) = TokenManager::builder(source.clone())
        .refresh_policy(exact(|policy| policy))
        .build(&time);
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&polls);
    let mut run = time.run(poll_fn(move |cx| {
        counted.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut driver).poll(cx)
    }));
    let credentials = manager.credentials();
    let _connected: Vec<_> = (0..connections)
        .map(|_| credentials.count_connection())
        .collect();
    // Every use compares the clocks, and wakes the driver only for a reason.
    for _ in 0..3600 {
        assert!(credentials.current().is_ok());
        credentials.check_clock();
        run.advance(seconds(1));
    }
    assert_eq!(source.requests(), 2);
    polls.load(Ordering::SeqCst)
}

#[test]
fn the_driver_wakes_up_a_few_times_an_hour() {
    let polls = polls_in_an_hour(0);
    assert!(polls <= 4, "{polls}");
    for connections in [1, 1000] {
        let polls = polls_in_an_hour(connections);
        assert!(polls <= 12, "{polls}");
        assert!(polls >= 5, "{polls}: connections are checked");
    }
}

#[test]
fn a_suspend_is_noticed_at_the_first_use() {
    for connected in [false, true] {
        let uses: [fn(&Rig); 2] = [
            |rig| assert!(rig.manager.credentials().current().is_err(), "stale"),
            |rig| rig.manager.credentials().check_clock(),
        ];
        for notice in uses {
            let (mut rig, source) = hourly();
            let _connected = connected.then(|| rig.manager.credentials().count_connection());
            rig.run.advance(minutes(5));
            rig.time.suspend(hours(8));
            notice(&rig);
            rig.run.settle();
            assert_eq!(source.requests(), 2, "connected: {connected}");
            assert_eq!(rig.password().as_deref(), Some("token-2"));
            assert_eq!(steps(&rig), 1);
        }
    }
}

#[test]
fn a_suspend_is_noticed_within_a_quarter_of_what_was_left_while_connections_are_open() {
    let (mut rig, source) = hourly();
    let connected = rig.manager.credentials().count_connection();
    rig.run.advance(minutes(5));
    rig.time.suspend(hours(8));
    // Planned at the start, for a quarter of the hour.
    rig.run.advance(minutes(10) - millis(1));
    assert_eq!(steps(&rig), 0);
    rig.run.advance(millis(1));
    assert_eq!(steps(&rig), 1);
    assert_eq!(source.requests(), 2);

    // Without connections there is nothing to notice it for.
    drop(connected);
    let times = source.times();
    rig.run.advance(minutes(15));
    rig.time.suspend(hours(8));
    rig.run.advance(minutes(25));
    assert_eq!(source.times(), times);
}

#[test]
fn a_shorter_token_brings_the_next_check_forward() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => numbered(n, hours(24)),
        n => numbered(n, minutes(8)),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    let _connected = rig.manager.credentials().count_connection();
    rig.run.advance(minutes(1));
    rig.manager.refresh();
    rig.run.settle();
    rig.time.suspend(hours(1));
    rig.run.advance(minutes(2));
    assert_eq!(steps(&rig), 1);
}

#[test]
fn drift_that_is_never_a_step_adds_up() {
    let time = ManualClock::new();
    let ends = time.wall() + hours(1);
    let source = Source::new(&time, move |n| match n {
        1 => Ok(Token::new("user", "token-1").expires_at(ends)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    let connected = rig.manager.credentials().count_connection();
    while time.wall() < ends {
        assert!(rig.manager.status().state == ManagerState::Valid);
        // Looked at each time, and too little for a step.
        rig.time.step_forward(millis(1900));
        drop(rig.manager.credentials().need());
        rig.run
            .advance(seconds(30).min(ends.duration_since(time.wall()).unwrap_or_default()));
    }
    assert_eq!(steps(&rig), 0);
    assert_ne!(rig.manager.status().state, ManagerState::Valid);
    drop(connected);
}

#[test]
fn a_reader_of_a_token_that_the_wall_clock_has_ended_gets_the_same_one_with_a_later_end() {
    let time = ManualClock::new();
    let gate = Gate::default();
    let mut rig = rig_with(&time, gate.clone(), |builder| builder);
    let same = |time: &ManualClock, life: Duration| {
        Ok(Token::new("user", "same").expires_at(time.wall() + life))
    };
    gate.answer(same(&time, seconds(60)));
    rig.run.advance(seconds(50));
    rig.time.step_forward(seconds(10)); // by less than the driver would notice
    let credentials = rig.manager.credentials();
    let (sender, received) = std::sync::mpsc::channel();
    rig.run.spawn(async move {
        sender.send(credentials.get(minutes(1)).await).unwrap();
    });
    assert!(received.try_recv().is_err());
    gate.answer(same(&time, hours(1)));
    rig.run.settle();
    let token = received.try_recv().expect("no time has passed").unwrap();
    assert_eq!(
        token.time_left(redis_authx::Moment::now(&time)),
        Some(hours(1))
    );
}

#[test]
fn a_lifetime_counts_from_the_request() {
    let time = ManualClock::new();
    let gate = Gate::default();
    let mut rig = rig_with(&time, gate.clone(), |builder| builder);
    rig.run.advance(seconds(8));
    gate.answer(numbered(1, hours(1)));
    rig.run.settle();
    let left = rig.manager.status().expires_in;
    assert_eq!(left, Some(hours(1) - seconds(8)));
}

#[test]
fn a_lifetime_that_has_passed_while_the_machine_slept_is_over() {
    let time = ManualClock::new();
    let gate = Gate::default();
    let mut rig = rig_with(&time, gate.clone(), |builder| builder);
    // Answered before the suspend, and seen after it.
    gate.answer(numbered(1, hours(1)));
    rig.time.suspend(hours(2));
    rig.run.settle();
    assert_eq!(rig.password(), None);
    let error = rig.manager.status().last_error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Expired);
}

/// A clock whose two readings a test can move while nothing runs, as they move
/// while a process is frozen.
#[derive(Clone, Debug)]
struct Frozen(ManualClock, Arc<AtomicU64>);

impl Clock for Frozen {
    fn now(&self) -> Instant {
        self.0.now() + seconds(self.1.load(Ordering::SeqCst))
    }

    fn wall(&self) -> SystemTime {
        self.0.wall() + seconds(self.1.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, deadline: Instant) -> Sleep {
        let ahead = seconds(self.1.load(Ordering::SeqCst));
        self.0.sleep_until(deadline - ahead)
    }
}

#[test]
fn an_answer_that_is_seen_late_after_the_process_was_frozen_counts() {
    let time = ManualClock::new();
    let clock = Frozen(time.clone(), Arc::default());
    let gate = Gate::default();
    let (manager, driver) = TokenManager::builder(gate.clone()).build(&clock);
    let mut run = time.run(driver);
    gate.answer(numbered(1, hours(1)));
    clock.1.store(60, Ordering::SeqCst);
    run.settle();
    let token = manager.credentials().current().unwrap();
    assert_eq!(token.password(), "token-1");
    assert_eq!(manager.status().failures, 0);
    let left = manager.status().expires_in;
    assert_eq!(left, Some(hours(1) - seconds(60)));
}

struct Task;

impl ArcWake for Task {
    fn wake_by_ref(_: &Arc<Self>) {}
}

#[test]
fn an_ended_drivers_task_is_freed_while_handles_live() {
    for dropped in [false, true] {
        let time = ManualClock::new();
        let (manager, mut driver) = TokenManager::builder(Gate::default()).build(&time);
        let task = Arc::new(Task);
        let waker = waker(Arc::clone(&task));
        let poll = |driver: &mut Driver| Pin::new(driver).poll(&mut Context::from_waker(&waker));
        assert!(poll(&mut driver).is_pending());
        if !dropped {
            manager.stop();
            assert!(poll(&mut driver).is_ready());
        }
        drop(driver);
        drop(waker);
        assert_eq!(Arc::strong_count(&task), 1, "dropped: {dropped}");
        assert_eq!(manager.status().state, ManagerState::Stopped);
    }
}
