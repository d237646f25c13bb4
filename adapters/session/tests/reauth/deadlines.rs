//! The re-authenticator's one timer is set for whatever comes next.

use redis_authx::testing::{hours, minutes, seconds};
use redis_authx::{SessionRule, Token};

use super::fleet::{Act, Fleet, done};

#[test]
fn what_is_due_sooner_is_not_kept_waiting_by_what_is_due_later() {
    let mut fleet = Fleet::new(hours(1));
    let lasting = Token::new("user", "another").session(SessionRule::Lasts(hours(48)));
    let _later = fleet.join_with(&lasting, done);
    fleet.run.advance(minutes(1));
    let _sooner = [fleet.join(done), fleet.join(done)];
    fleet.run.advance(minutes(44));
    assert_eq!(fleet.asked().len(), 1, "the first is not delayed");
    fleet.run.advance(minutes(15).mul_f64(0.25));
    let asked = fleet.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!((asked[0].session, asked[0].act), (2, Act::Auth));
    assert!(asked[0].at > minutes(45) + seconds(60), "{asked:?}");
}
