//! An `AUTH` that is refused whatever the token.

use std::time::Duration;

use redis_authx::reauth::{ReauthErrorKind, ReauthPolicy};
use redis_authx::testing::{ManualClock, hours, millis, minutes, seconds};

use crate::fleet::{Act, Fleet, Reply, auth, done};
use crate::support::{backoff, numbered};

const ROTATION: Duration = minutes(45);
/// Three quarters of the time left at the rotation.
const REPLACED_AT: Duration = Duration::from_secs(45 * 60 + 15 * 60 * 3 / 4);

/// Hourly tokens and retries without jitter.
fn fleet() -> Fleet {
    let policy = ReauthPolicy::builder()
        .backoff(backoff(1, millis(100), seconds(5)))
        .build();
    Fleet::with(&ManualClock::new(), policy.expect("valid settings"), |n| {
        numbered(n, hours(1))
    })
}

#[test]
fn it_asks_for_one_fresh_token_and_is_replaced_in_time() {
    let mut fleet = fleet();
    let session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused)));
    fleet.run.advance(hours(1));
    let acts = fleet.acts();
    let (last, before) = acts.split_last().unwrap();
    assert_eq!(*last, (REPLACED_AT, Act::Replace));
    assert!(before.iter().all(|(_, act)| *act == Act::Auth));
    // The first token, the renewed one, and one that was asked for.
    assert_eq!(fleet.source.requests(), 3);
    assert_eq!(session.status().generation, 3);
}

#[test]
fn it_asks_again_when_the_next_renewal_is_refused_too() {
    let mut fleet = fleet();
    let _session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused)));
    fleet.run.advance(hours(24));
    // A renewal every 45 minutes, a second later one that was asked for.
    let (early, renewals): (Vec<u128>, Vec<u128>) =
        fleet.source.gaps().iter().partition(|gap| **gap <= 2000);
    assert_eq!(renewals.len(), 31);
    assert_eq!(early.len(), 31);
}

#[test]
fn the_other_sessions_are_not_kept_busy_by_it() {
    let mut fleet = fleet();
    let refused = fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused)));
    let other = fleet.join(done);
    fleet.run.advance(hours(1));
    let of_other = |asked: &&crate::fleet::Asked| asked.session == other.number();
    let asked = fleet.asked();
    let generations: Vec<u64> = asked
        .iter()
        .filter(of_other)
        .map(|a| a.generation)
        .collect();
    assert!(generations.len() <= 2, "{generations:?}");
    assert_eq!(refused.status().generation, 3);
    assert_eq!(other.status().generation, 3);
}

#[test]
fn rotations_meanwhile_do_not_put_the_replacement_off() {
    let mut fleet = fleet();
    let session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Other)));
    fleet.run.advance(ROTATION);
    for _ in 0..15 {
        fleet.manager.refresh();
        fleet.run.advance(minutes(1));
    }
    let acts = fleet.acts();
    let replaced = acts.iter().find(|(_, act)| *act == Act::Replace);
    assert_eq!(replaced, Some(&(REPLACED_AT, Act::Replace)));
    // The next renewal begins with an AUTH again, and has its own time.
    assert!(session.status().generation >= 13);
    let (last, _) = *acts.last().unwrap();
    assert!(last > REPLACED_AT);
    assert_eq!(acts.last().unwrap().1, Act::Auth);
}
