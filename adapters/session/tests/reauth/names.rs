//! What a connection is called in events and logs.

use redis_authx::testing::hours;

use super::fleet::{Fleet, done};

#[test]
fn each_connection_is_shown_by_a_number_of_its_own() {
    let fleet = Fleet::new(hours(1));
    let sessions = [fleet.join(done), fleet.join(done)];
    let [first, second] = sessions.map(|session| session.status().connection);
    assert_ne!(first, second);
    let number = |shown: String| shown.strip_prefix('#').map(str::parse::<u64>);
    let [first, second] = [first, second].map(|name| number(name.to_string()));
    assert!(matches!((&first, &second), (Some(Ok(_)), Some(Ok(_)))));
    assert_ne!(first, second);
}
