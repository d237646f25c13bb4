//! An `AUTH` that is refused whatever the token.

use std::sync::atomic::{AtomicU64, Ordering};

use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{ReauthErrorKind, ReauthPolicy, RequestReason};

use super::fleet::{Act, Fleet, REPLACED_AT, ROTATION, Reply, auth, done};
use crate::support::numbered;

#[test]
fn it_asks_for_one_fresh_token_then_every_five_minutes_and_is_replaced_in_time() {
    let mut fleet = Fleet::without_jitter();
    let session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused)));
    fleet.run.advance(hours(1));
    let acts = fleet.acts();
    let (last, before) = acts.split_last().unwrap();
    assert_eq!(*last, (REPLACED_AT, Act::Replace));
    assert!(before.iter().all(|(_, act)| *act == Act::Auth));
    // The renewed token, one that was asked for at once, and then by the first
    // try after five minutes each.
    let [renewed, at_once, second, third] = fleet.source.gaps()[..] else {
        panic!("{:?}", fleet.source.gaps());
    };
    assert_eq!((renewed, at_once), (45 * 60_000, 1000));
    for gap in [second, third] {
        assert!((299_000..=305_000).contains(&gap), "{gap} ms");
    }
    assert_eq!(session.status().generation, 5);
}

#[test]
fn a_refused_token_that_comes_again_is_asked_about_every_five_minutes() {
    let mut fleet = Fleet::with(&ManualClock::new(), ReauthPolicy::default(), |n| {
        numbered(n.min(2), hours(24))
    });
    let _session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused)));
    fleet.run.advance(hours(18) + minutes(1));
    let before = fleet.source.requests();
    fleet.run.advance(hours(1));
    let requests = fleet.source.requests() - before;
    assert!((10..=13).contains(&requests), "{requests}");
}

#[test]
fn the_provider_learns_that_its_token_was_refused() {
    let mut fleet = Fleet::without_jitter();
    let _session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused)));
    fleet.run.advance(ROTATION + seconds(2));
    let refused = RequestReason::Refused { generation: 2 };
    assert_eq!(
        fleet.source.reasons(),
        [RequestReason::First, RequestReason::Renewal, refused]
    );
}

#[test]
fn many_of_them_ask_no_more_often_than_one() {
    let mut fleet = Fleet::without_jitter();
    let sessions: Vec<_> = (0..30)
        .map(|_| fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused))))
        .collect();
    fleet.run.advance(hours(1));
    assert_eq!(fleet.source.requests(), 5);
    assert!(sessions.iter().all(|one| one.status().generation == 5));
}

#[test]
fn a_token_that_is_revoked_after_it_was_taken_is_a_refusal_of_its_own() {
    let mut fleet = Fleet::without_jitter();
    // Each token logs in once.
    let (manager, used) = (fleet.manager.clone(), AtomicU64::new(1));
    let session = fleet.join(move |_, _| {
        let generation = manager.status().generation;
        if used.swap(generation, Ordering::SeqCst) == generation {
            Reply::Fail(ReauthErrorKind::Refused)
        } else {
            Reply::Done
        }
    });
    for generation in 2..20 {
        session.disconnect();
        fleet.run.advance(seconds(10));
        assert_eq!(session.status().generation, generation);
        assert!(session.status().last_error.is_none());
    }
}

#[test]
fn the_other_sessions_are_not_kept_busy_by_it() {
    let mut fleet = Fleet::without_jitter();
    let refused = fleet.join(auth(Reply::Fail(ReauthErrorKind::Refused)));
    let other = fleet.join(done);
    fleet.run.advance(hours(1));
    let of_other = |asked: &&super::fleet::Asked| asked.session == other.number();
    let asked = fleet.asked();
    let auths = asked.iter().filter(of_other).count();
    assert!((1..=4).contains(&auths), "{auths}");
    assert_eq!(refused.status().generation, 5);
    assert!(other.status().generation >= 3);
}

#[test]
fn rotations_meanwhile_do_not_put_the_replacement_off() {
    let mut fleet = Fleet::without_jitter();
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
