//! The defaults, as the builder's pages name them.

use redis_authx::ReauthErrorKind;
use redis_authx::testing::hours;

use super::fleet::{Act, Fleet, Reply, auth};

#[test]
fn tries_follow_each_other_after_100_ms_doubling_to_5_s_spread_by_a_fifth() {
    let mut fleet = Fleet::new(hours(1));
    let _session = fleet.join(auth(Reply::Fail(ReauthErrorKind::Other)));
    fleet.run.advance(hours(1));
    let acts = fleet.acts();
    let waits: Vec<f64> = acts
        .windows(2)
        .filter(|pair| pair[1].1 == Act::Auth)
        .map(|pair| (pair[1].0 - pair[0].0).as_secs_f64())
        .collect();
    assert!(waits.len() > 50, "{} waits", waits.len());
    for (place, wait) in waits.iter().enumerate() {
        let middle = (0.1 * 2f64.powi(place.min(10) as i32)).min(5.0);
        let spread = 0.8 * middle..=(1.2 * middle).min(5.0);
        assert!(spread.contains(wait), "{place}: {wait} s");
    }
}
