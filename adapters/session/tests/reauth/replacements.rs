//! A replacement that comes late, and fails, is tried again with backoff.

use redis_authx::testing::{ManualClock, hours, millis, seconds};
use redis_authx::{ReauthErrorKind, ReauthPolicy};

use super::fleet::{Act, Fleet, Reply};
use crate::support::{backoff, numbered};

#[test]
fn late_replacements_that_fail_keep_to_the_backoff() {
    let policy = ReauthPolicy::builder()
        .backoff(backoff(1, millis(100), seconds(5)))
        .build();
    let time = ManualClock::new();
    let mut fleet = Fleet::with(&time, policy.expect("valid settings"), |n| {
        numbered(n, hours(1))
    });
    let _session = fleet.join(|_, _| Reply::Fail(ReauthErrorKind::Other));
    fleet.run.advance(hours(1));
    let mut acts = fleet.acts();
    acts.retain(|(_, act)| *act == Act::Replace);
    assert!(acts.len() > 40, "{} replacements", acts.len());
    for pair in acts.windows(2) {
        assert_eq!(pair[1].0 - pair[0].0, seconds(5));
    }
}
