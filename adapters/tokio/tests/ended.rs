//! A timer of a runtime that has shut down, polled outside it.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use redis_authx::Clock as _;
use redis_authx_tokio::OnTokio;
use tokio::runtime::Builder;

#[test]
fn it_never_completes_and_does_not_panic() {
    let tokio = Builder::new_multi_thread().enable_time().build().unwrap();
    let on = OnTokio::new(tokio.handle().clone());
    let soon = Instant::now() + Duration::from_secs(3600);
    let mut begun = pin!(on.sleep_until(soon));
    assert_eq!(begun.as_mut().now_or_never(), None);

    drop(tokio);
    assert_eq!(begun.as_mut().now_or_never(), None);
    assert_eq!(on.sleep_until(soon).now_or_never(), None);
    // A past deadline needs no timer.
    assert_eq!(on.sleep_until(on.now()).now_or_never(), Some(()));
}

#[test]
#[should_panic(expected = "timers are disabled")]
fn a_runtime_without_timers_panics() {
    let tokio = Builder::new_current_thread().build().unwrap();
    let on = OnTokio::new(tokio.handle().clone());
    let _ = on
        .sleep_until(on.now() + Duration::from_secs(1))
        .now_or_never();
}
