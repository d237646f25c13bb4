use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{Clock, ManagerState};

use crate::support::{Source, numbered, rig_with};

#[test]
fn each_renewal_brings_the_next_token_and_its_own_life() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(n as u64)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    for n in 1..6 {
        let status = rig.manager.status();
        assert_eq!(status.generation, n);
        assert_eq!(status.expires_in, Some(hours(n)));
        assert_eq!(rig.password(), Some(format!("token-{n}")));
        rig.run.advance(hours(n).mul_f64(0.75));
    }
    assert_eq!(source.requests(), 6);
}

#[test]
fn a_refresh_fetches_a_token_although_one_is_valid() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| numbered(n, hours(1)));
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    rig.run.advance(minutes(10));
    let before = rig.time.now();
    rig.manager.refresh();
    rig.run.settle();
    assert_eq!(rig.password().as_deref(), Some("token-2"));
    assert_eq!(rig.time.now(), before);
    // The schedule begins anew.
    rig.run.advance(minutes(45) - seconds(1));
    assert_eq!(source.requests(), 2);
    rig.run.advance(seconds(1));
    assert_eq!(source.requests(), 3);
}

#[test]
fn the_status_tells_what_it_holds_and_how_it_fares() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => numbered(n, hours(1)),
        _ => Err(crate::support::down()),
    });
    let mut rig = rig_with(&time, source, |builder| builder);
    rig.run.advance(minutes(44));
    let status = rig.manager.status();
    assert_eq!(status.state, ManagerState::Valid);
    assert_eq!((status.refreshes, status.failures), (1, 0));
    assert_eq!(status.expires_in, Some(minutes(16)));
    assert!(status.last_error.is_none());
    assert_eq!(status.connections, 0);

    rig.run.advance(minutes(2));
    let status = rig.manager.status();
    assert_eq!(status.state, ManagerState::Valid);
    assert!(status.failures >= 5 && status.last_error.is_some());

    rig.run.advance(minutes(14));
    let status = rig.manager.status();
    assert_eq!(
        (status.state, status.generation),
        (ManagerState::Unavailable, 1)
    );
    assert_eq!(status.expires_in, None);
}
