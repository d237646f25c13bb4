//! An `AUTH` that fails is retried, then the connection is replaced.

use std::time::Duration;

use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{Event, ReauthErrorKind, ReauthPolicy};

use super::fleet::{Act, Fleet, REPLACED_AT, ROTATION, Reply, auth, fails};
use crate::support::{backoff, numbered};

#[test]
fn a_refused_auth_asks_the_manager_for_a_fresh_token_and_takes_it() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(fails(1, ReauthErrorKind::Refused));
    fleet.run.advance(ROTATION);
    let error = session.status().last_error.unwrap();
    assert_eq!(error.kind(), ReauthErrorKind::Refused);
    fleet.run.advance(minutes(1));
    assert_eq!(fleet.source.requests(), 3);
    let status = session.status();
    assert_eq!(status.generation, 3);
    assert!(status.last_error.is_none());
    // Refused with 2, retried before the fresh one came, then given that.
    let asked = fleet.asked();
    let last = asked.last().unwrap();
    assert_eq!((last.act, last.generation), (Act::Auth, 3));
}

#[test]
fn many_refusals_ask_the_manager_once_a_generation() {
    let mut fleet = Fleet::without_jitter();
    let _sessions: Vec<_> = (0..30)
        .map(|_| fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused))))
        .collect();
    fleet.run.advance(ROTATION + seconds(10));
    let generation = fleet.manager.status().generation;
    assert!(generation >= 3);
    assert_eq!(fleet.source.requests() as u64, generation);
    // One a generation, and one generation a second at most.
    assert!(fleet.source.gaps()[1..].iter().all(|gap| *gap >= 1000));
}

#[test]
fn a_failed_auth_is_retried_with_backoff_and_replaced_in_time() {
    for kind in [ReauthErrorKind::Other, ReauthErrorKind::Timeout] {
        let mut fleet = Fleet::without_jitter();
        let session = fleet.join(auth(Reply::Fail(kind)));
        fleet.run.advance(hours(1));
        let acts = fleet.acts();
        let waits: Vec<u128> = acts
            .windows(2)
            .map(|pair| (pair[1].0 - pair[0].0).as_millis())
            .collect();
        assert_eq!(waits[..8], [100, 200, 400, 800, 1600, 3200, 5000, 5000]);
        let (last, before) = acts.split_last().unwrap();
        assert_eq!(*last, (REPLACED_AT, Act::Replace));
        assert!(before.iter().all(|(_, act)| *act == Act::Auth));
        assert_eq!(session.status().generation, 2);
    }
}

#[test]
fn a_hung_auth_is_cancelled_retried_and_replaced_in_time() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(auth(Reply::Hang));
    fleet.run.advance(ROTATION + seconds(5));
    assert_eq!(fleet.open(), 0);
    let error = session.status().last_error.unwrap();
    assert_eq!(error.kind(), ReauthErrorKind::Timeout);
    fleet.run.advance(minutes(14));
    let acts = fleet.acts();
    assert_eq!(acts[1], (ROTATION + seconds(5) + millis(100), Act::Auth));
    // The last one was cut short for it.
    let (last, before) = acts.split_last().unwrap();
    assert_eq!(last.1, Act::Replace);
    assert!(
        last.0 >= REPLACED_AT && last.0 <= REPLACED_AT + millis(1),
        "{last:?}"
    );
    assert!(before.iter().all(|(_, act)| *act == Act::Auth));
    assert_eq!(fleet.open(), 0);
    assert_eq!(session.status().generation, 2);
}

#[test]
fn an_auth_still_under_way_at_the_point_of_replacement_gives_way_to_it() {
    let policy = ReauthPolicy::builder()
        .auth_timeout(minutes(20))
        .backoff(backoff(1, seconds(60), seconds(60)))
        .build();
    let mut fleet = Fleet::with(&ManualClock::new(), policy.unwrap(), |n| {
        numbered(n, hours(1))
    });
    let _session = fleet.join(auth(Reply::Hang));
    fleet.run.advance(hours(1));
    assert_eq!(
        fleet.acts(),
        [
            (ROTATION, Act::Auth),
            (REPLACED_AT + millis(1), Act::Replace)
        ]
    );
}

#[test]
fn a_busy_session_is_deferred_and_served_once_it_is_ready() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(fails(4, ReauthErrorKind::Busy));
    fleet.run.advance(ROTATION + millis(69));
    let waits: Vec<u128> = fleet
        .acts()
        .windows(2)
        .map(|pair| (pair[1].0 - pair[0].0).as_millis())
        .collect();
    assert_eq!(waits, [10, 20]);
    fleet.run.advance(millis(1));
    assert_eq!(fleet.acts().len(), 1, "the fourth, busy still");
    session.tell_ready();
    fleet.run.settle();
    assert_eq!(fleet.acts(), [(ROTATION + millis(70), Act::Auth)]);
    assert_eq!(session.status().generation, 2);
}

#[test]
fn a_session_that_stays_busy_is_reported_once_and_replaced_in_time() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Busy)));
    fleet.run.advance(hours(1));
    let acts = fleet.acts();
    let window = (REPLACED_AT - ROTATION).as_secs() as usize;
    // Every five seconds, after the first few.
    assert!(acts.len() < window / 5 + 15, "{}", acts.len());
    assert_eq!(acts.last(), Some(&(REPLACED_AT, Act::Replace)));
    assert_eq!(session.status().generation, 2);
    let events = fleet.events.take();
    let count = |of: fn(&&Event) -> bool| events.iter().filter(of).count();
    assert_eq!(
        count(|event| matches!(event, Event::Deferred { generation: 2, .. })),
        1
    );
    assert_eq!(
        count(|event| matches!(event, Event::ReauthFailed { .. })),
        0
    );
}

#[test]
fn ready_without_being_busy_does_nothing() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Other)));
    session.tell_ready();
    fleet.run.advance(minutes(1));
    session.tell_ready();
    assert_eq!(fleet.acts(), []);
    fleet.run.advance(minutes(44));
    session.tell_ready();
    fleet.run.settle();
    assert_eq!(fleet.acts().len(), 1, "waits for its backoff");
}

#[test]
fn a_session_that_can_only_be_replaced_is_replaced_at_once() {
    for kind in [ReauthErrorKind::Unsupported, ReauthErrorKind::Disconnected] {
        let mut fleet = Fleet::without_jitter();
        let session = fleet.join(auth(Reply::Fail(kind)));
        fleet.run.advance(minutes(46));
        assert_eq!(
            fleet.acts(),
            [(ROTATION, Act::Auth), (ROTATION + millis(1), Act::Replace)]
        );
        assert_eq!(session.status().generation, 2);
        // The next rotation begins with an AUTH again.
        fleet.run.advance(ROTATION);
        assert_eq!(fleet.acts()[0].1, Act::Auth);
    }
}

/// That `AUTH` is not for it is no failure that anyone has to look at, and
/// many such sessions are spread as all others.
#[test]
fn sessions_that_are_replaced_at_every_rotation_report_no_failure() {
    let mut fleet = Fleet::without_jitter();
    let sessions: Vec<_> = (0..4)
        .map(|_| fleet.join(auth(Reply::Fail(ReauthErrorKind::Unsupported))))
        .collect();
    for rotation in 1..=3 {
        fleet
            .run
            .advance(if rotation == 1 { minutes(50) } else { ROTATION });
        let events = fleet.events.take();
        let replaced = |event: &&Event| matches!(event, Event::Replaced { .. });
        assert_eq!(events.iter().filter(replaced).count(), 4);
        let failed = |event: &Event| matches!(event, Event::ReauthFailed { .. });
        assert!(!events.iter().any(failed), "{events:?}");
        let asked = fleet.asked();
        let replaced = asked.iter().filter(|asked| asked.act == Act::Replace);
        let times: Vec<Duration> = replaced.map(|asked| asked.at).collect();
        assert!(times.is_sorted_by(|one, next| one < next), "{times:?}");
        for session in &sessions {
            assert_eq!(session.status().generation, rotation + 1);
            assert!(session.status().last_error.is_none());
        }
    }
}

#[test]
fn a_session_that_panics_is_a_failure_and_harms_no_other() {
    let mut fleet = Fleet::without_jitter();
    let panics = fleet.join(|_, call| if call < 4 { Reply::Panic } else { Reply::Done });
    let other = fleet.join(super::fleet::done);
    fleet.run.advance(minutes(50));
    for session in [&panics, &other] {
        assert_eq!(session.status().generation, 2);
        assert!(session.status().last_error.is_none());
    }
    let failures = fleet.events.take().into_iter().filter(|event| {
        matches!(event, Event::ReauthFailed { error, .. } if error.kind() == ReauthErrorKind::Other)
    });
    assert_eq!(failures.count(), 3);
}

#[test]
fn a_panic_while_a_session_s_future_is_dropped_ends_nothing_else() {
    let mut fleet = Fleet::without_jitter();
    let panics = fleet.join(|_, call| match call {
        1 => Reply::PanicWhenDropped,
        _ => Reply::Done,
    });
    let leaves = fleet.join(|_, _| Reply::PanicWhenDropped);
    let other = fleet.join(super::fleet::done);
    // Its first AUTH reaches its time limit and is dropped.
    fleet.run.advance(minutes(50));
    leaves.unregister();
    fleet.run.advance(minutes(50));
    for session in [&panics, &other] {
        assert_eq!(session.status().generation, 3);
    }
    let ended = |event: &Event| matches!(event, Event::ReauthEnded { .. });
    assert!(!fleet.events.take().iter().any(ended));
}

#[test]
fn a_failed_session_tells_what_comes_next() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(fails(1, ReauthErrorKind::Other));
    fleet.run.advance(minutes(46));
    let told: Vec<Event> = fleet
        .events
        .take()
        .into_iter()
        .filter(|event| !matches!(event, Event::TokenRefreshed { .. }))
        .collect();
    let id = session.status().connection;
    assert!(matches!(
        told.as_slice(),
        [
            Event::Staggered { connections: 1, .. },
            Event::ReauthFailed { connection: failed, generation: 2, retry_in: Some(wait), .. },
            Event::Reauthenticated { connection: done, generation: 2, .. },
        ] if *failed == id && *done == id && *wait == millis(100)
    ));
}
