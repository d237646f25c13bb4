//! Many connections of one client, and one rotation.

use std::time::{Duration, Instant};

use redis_authx::ReauthPolicy;
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_suites::{Bed, patient};

const CONNECTIONS: usize = 200;

#[allow(clippy::unwrap_used)] // the beginning of several tests
async fn fleet(bed: &Bed, policy: ReauthPolicy) -> Vec<AuthConnection> {
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .reauth_policy(policy)
        .build()
        .unwrap();
    let mut connections = Vec::new();
    // One after the other, for the peak to be the re-authentications' own.
    for _ in 0..CONNECTIONS {
        let opened = client.multiplexed_with_config(patient()).await;
        connections.push(opened.unwrap());
    }
    connections
}

/// The log-ins of one rotation, which every connection takes in place.
#[allow(clippy::unwrap_used)] // the middle of several tests
async fn rotate(bed: &Bed, connections: &[AuthConnection]) -> Vec<Instant> {
    let before = bed.emulator.redis().auths();
    bed.turn().await;
    bed.settled(connections).await;
    let redis = bed.emulator.redis();
    assert_eq!(redis.auths() - before, CONNECTIONS as u64);
    assert_eq!(redis.connections_accepted(), CONNECTIONS as u64);
    let reports = redis.connection_reports();
    reports
        .iter()
        .map(|report| report.last_auth_at.unwrap())
        .collect()
}

/// Without a stagger all are due at once, and still wait for each other.
#[tokio::test(flavor = "multi_thread")]
async fn no_more_log_in_at_once_than_allowed() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let policy = ReauthPolicy::builder().stagger(0.0).max_in_flight(8);
    let connections = fleet(&bed, policy.build().unwrap()).await;
    bed.emulator
        .redis()
        .set_auth_delay(Duration::from_millis(20));
    rotate(&bed, &connections).await;
    let peak = bed.emulator.redis().peak_auths_in_flight();
    assert!((2..=8).contains(&peak), "{peak}");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_ins_are_spread_over_the_window() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(40))
        .ratio(0.5)
        .start()
        .await;
    // A tenth of at least 20 s.
    let policy = ReauthPolicy::builder().stagger(0.1).build().unwrap();
    let connections = fleet(&bed, policy).await;
    let mut times = rotate(&bed, &connections).await;
    times.sort();
    // 2 s, of which the first may come late on a busy machine, none early.
    let after = |place: usize| times[place] - times[0];
    assert!(after(CONNECTIONS / 2) >= Duration::from_millis(500));
    assert!(after(CONNECTIONS - 1) >= Duration::from_secs(1));
}
