//! A scripted provider tells how many of its requests are open, and were.

use futures::FutureExt;
use redis_authx::IdentityProvider;
use redis_authx::testing::{ManualClock, ScriptedProvider};

#[test]
fn requests_that_hang_are_open_until_they_are_dropped() {
    let script = ScriptedProvider::new().hang().hang().hang();
    let counts = || (script.open_requests(), script.most_open_requests());
    assert_eq!(counts(), (0, 0));
    let time = ManualClock::new();
    let request = time.request();
    let mut first = script.request_token(&request);
    assert!((&mut first).now_or_never().is_none());
    assert_eq!(counts(), (1, 1));
    let mut second = script.request_token(&request);
    assert!((&mut second).now_or_never().is_none());
    assert_eq!(counts(), (2, 2));
    drop((first, second));
    assert!(script.request_token(&request).now_or_never().is_none());
    assert_eq!(counts(), (0, 2));
    assert_eq!(script.requests(), 3);
}
