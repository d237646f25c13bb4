//! A connection ends with its token. Real time passes here: that is what is tested.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::{Duration, Instant};

use redis_authx_emulator::{Emulator, Store};
use support::{HOUR, Raw, STORES, emulator, eventually};
use tokio::time::sleep;

/// Time enough for what comes before the end.
const LIFETIME: Duration = Duration::from_secs(4);
/// Ends are rounded up to a whole second.
const AFTER: Duration = Duration::from_secs(6);

#[tokio::test]
async fn the_connection_is_closed_when_its_token_expires() {
    for store in STORES {
        let emulator = emulator(store).await;
        let start = Instant::now();
        let mut raw = Raw::logged_in(&emulator, LIFETIME).await;
        raw.expect("SET a 1\r\n", "+OK\r\n").await;
        assert_eq!(raw.rest().await, "", "closed without a word");
        assert!(start.elapsed() >= LIFETIME);
        eventually("the count", || emulator.redis().closed_by_expiry() == 1).await;
        let report = emulator.redis().connection_reports().remove(0);
        assert!(report.closed_by_expiry && !report.open);
        assert_eq!(emulator.redis().connections(), 0);
    }
}

#[tokio::test]
async fn a_newer_token_moves_the_end_and_a_bad_one_does_not() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut kept = Raw::logged_in(&emulator, LIFETIME).await;
        let mut lost = Raw::logged_in(&emulator, LIFETIME).await;
        kept.auth(&emulator, HOUR).await;
        let bad = format!("AUTH {} bad\r\n", emulator.object_id());
        lost.send(&bad).await;
        assert!(
            lost.rest().await.starts_with("-WRONGPASS"),
            "and then the end"
        );
        sleep(AFTER).await;
        kept.expect("PING\r\n", "+PONG\r\n").await;
        assert_eq!(emulator.redis().closed_by_expiry(), 1);
        let report = emulator.redis().connection_reports().remove(0);
        assert_eq!((report.auths_accepted, report.open), (2, true));
        assert!(report.last_margin.unwrap() <= AFTER);
        assert!(report.time_left.unwrap() > HOUR / 2);
    }
}

#[tokio::test]
async fn a_shorter_token_brings_the_end_nearer() {
    let emulator = emulator(Store::Embedded).await;
    let mut raw = Raw::logged_in(&emulator, HOUR).await;
    raw.auth(&emulator, LIFETIME).await;
    assert_eq!(raw.rest().await, "");
    eventually("the count", || emulator.redis().closed_by_expiry() == 1).await;
}

#[tokio::test]
async fn fractions_of_a_second_work_if_asked_for() {
    let emulator = Emulator::builder()
        .fractional_expiry(true)
        .start()
        .await
        .unwrap();
    let mut raw = Raw::logged_in(&emulator, Duration::from_millis(3700)).await;
    assert_eq!(raw.rest().await, "");
    eventually("the count", || emulator.redis().closed_by_expiry() == 1).await;
}

#[tokio::test]
async fn reset_ends_the_log_in_and_with_it_the_deadline() {
    for store in STORES {
        let emulator = emulator(store).await;
        let mut raw = Raw::logged_in(&emulator, LIFETIME).await;
        raw.expect("RESET\r\n", "+RESET\r\n").await;
        sleep(AFTER).await;
        raw.expect("PING\r\n", "-NOAUTH Authentication required.\r\n")
            .await;
        assert_eq!(emulator.redis().closed_by_expiry(), 0);
    }
}
