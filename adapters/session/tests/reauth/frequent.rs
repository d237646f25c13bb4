//! Rotations that follow one another faster than their `AUTH`s are spread.

use redis_authx::testing::{hours, minutes, seconds};

use super::fleet::{Act, Fleet, done};

#[test]
fn they_do_not_put_off_whose_turn_has_not_come() {
    let mut fleet = Fleet::new(hours(1));
    let sessions: Vec<_> = (0..20).map(|_| fleet.join(done)).collect();
    fleet.run.advance(minutes(45));
    // The window is a quarter of 15 minutes.
    for _ in 0..225 {
        fleet.manager.refresh();
        fleet.run.advance(seconds(1));
    }
    for session in &sessions {
        let status = session.status();
        assert!(status.generation > 1, "{status:?}");
    }
    assert!(fleet.asked().iter().all(|asked| asked.act == Act::Auth));
}
