//! Rule 8, second half: the same token again is no rotation.

use std::time::Duration;

use futures::FutureExt;
use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};
use redis_authx::{Clock, Event, Token};

use crate::support::{Rig, Source, rig_with};

/// A back end that caches: the same token with the same end until it is over.
fn caching(time: &ManualClock, lifetime: Duration, changes_at: usize) -> Source {
    let clock = time.clone();
    let ends = time.wall() + lifetime;
    Source::new(time, move |n| {
        if n < changes_at {
            Ok(Token::new("user", "same").expires_at(ends))
        } else {
            Ok(Token::new("user", format!("new-{n}")).expires_at(clock.wall() + lifetime))
        }
    })
}

fn started(changes_at: usize) -> (Rig, Source) {
    let time = ManualClock::new();
    let source = caching(&time, hours(1), changes_at);
    let rig = rig_with(&time, source.clone(), |builder| builder);
    (rig, source)
}

#[test]
fn the_generation_stays_and_nobody_is_told() {
    let (mut rig, source) = started(3);
    let mut reader = rig.manager.credentials();
    assert!(reader.changed().now_or_never().is_some());
    let _ = rig.events.take();

    rig.run.advance(minutes(45));
    assert_eq!(source.requests(), 2);
    assert!(reader.changed().now_or_never().is_none());
    assert_eq!(rig.manager.status().generation, 1);
    assert!(matches!(
        rig.events.take().as_slice(),
        [Event::TokenUnchanged { generation: 1, next_in: Some(wait), .. }]
            if *wait == minutes(15) / 4
    ));

    rig.run.advance(minutes(15) / 4);
    assert_eq!(rig.password().as_deref(), Some("new-3"));
    let news = reader.changed().now_or_never().unwrap().unwrap();
    assert_eq!((news.password(), news.generation()), ("new-3", 2));
}

#[test]
fn the_next_try_comes_after_a_quarter_of_the_time_left_or_the_minimum_interval() {
    let (mut rig, source) = started(usize::MAX);
    rig.run.advance(hours(1) - millis(1));
    let times = source.times();
    assert!(times.len() > 10);
    for pair in times[1..].windows(2) {
        let left = hours(1) - pair[0];
        assert_eq!(pair[1] - pair[0], (left / 4).max(seconds(1)));
    }
}

#[test]
fn its_expiry_is_read_anew_without_telling_anyone() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| {
        Ok(Token::new("user", "same").expires_in(minutes(10)))
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    let mut reader = rig.manager.credentials();
    assert!(reader.changed().now_or_never().is_some());
    rig.run.advance(hours(1));
    assert!(reader.changed().now_or_never().is_none());
    let token = rig.manager.credentials().current().unwrap();
    assert!(token.expiry().unwrap() > rig.time.wall());
    assert_eq!(token.generation(), 1);
}

#[test]
fn another_user_name_with_the_same_password_is_a_rotation() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| {
        Ok(Token::new(format!("user-{n}"), "same").expires_in(minutes(10)))
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(minutes(8));
    let token = rig.manager.credentials().current().unwrap();
    assert_eq!((token.username(), token.generation()), ("user-2", 2));
}

#[test]
fn after_an_expiry_it_is_a_rotation_again_since_readers_had_none() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => Ok(Token::new("user", "same").expires_in(millis(500))),
        _ => Ok(Token::new("user", "same").expires_in(hours(1))),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(millis(500));
    assert_eq!(rig.password(), None);
    rig.run.advance(millis(500));
    assert_eq!(rig.password().as_deref(), Some("same"));
    assert_eq!(rig.manager.status().generation, 2);
}

#[test]
fn asked_for_by_refresh_it_is_none_either() {
    let (mut rig, source) = started(usize::MAX);
    rig.run.advance(minutes(1));
    rig.manager.refresh();
    rig.run.settle();
    assert_eq!(source.requests(), 2);
    assert_eq!(rig.manager.status().generation, 1);
    // Renewal goes on: a quarter of 59 minutes later.
    rig.run.advance(minutes(59) / 4);
    assert_eq!(source.requests(), 3);
}
