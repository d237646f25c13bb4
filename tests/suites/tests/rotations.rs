//! Rotations under load, against a real redis-server.

use redis::AsyncCommands;
use redis_authx_suites::{Bed, KEY, Load};

/// 64 tasks, 20 connections, tokens of 8 s, 20 rotations: nothing fails,
/// nothing is lost, and every connection sends one AUTH a rotation.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_connections_live_through_twenty_rotations() {
    const CONNECTIONS: usize = 20;
    const ROTATIONS: usize = 20;

    let bed = Bed::builder().outlived().start().await;
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS {
        connections.push(bed.multiplexed().await);
    }
    let (generation_before, auths_before) =
        bed.tally(async || bed.settled(&connections).await).await;

    let load = Load::start(&connections, 64);
    bed.rotate(ROTATIONS).await;
    let (generation, auths) = bed.tally(async || bed.settled(&connections).await).await;
    let rotations = (generation - generation_before) as usize;
    let auths = auths - auths_before;
    let seen = load.stop().await;

    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert!(seen.acknowledged > 0);
    let counted: u64 = connections[0].clone().get(KEY).await.unwrap();
    assert_eq!(counted, seen.acknowledged);
    assert!(rotations >= ROTATIONS, "{rotations}");
    assert_eq!(auths, (CONNECTIONS * rotations) as u64);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    let reports = bed.emulator.redis().connection_reports();
    assert_eq!(
        reports
            .iter()
            .filter(|report| report.auths_accepted > 0)
            .count(),
        CONNECTIONS
    );
    assert!(
        reports
            .iter()
            .all(|report| report.auths_with_same_token == 0)
    );
    println!(
        "{rotations} rotations, {auths} AUTHs on {CONNECTIONS} connections, {} commands, 0 failed",
        seen.acknowledged
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_is_no_different() {
    let bed = Bed::builder().resp3().start().await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.rotate(4).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_task_ends_and_the_server_forgets_connections_that_are_dropped() {
    let bed = Bed::builder().start().await;
    let connection = bed.multiplexed().await;
    let clone = connection.clone();
    assert_eq!(bed.manager.status().connections, 1);
    drop(connection);
    assert_eq!(bed.manager.status().connections, 1);
    drop(clone);
    bed.until("the socket is closed", |bed| {
        bed.emulator.redis().connections() == 0
    })
    .await;
    assert_eq!(bed.manager.status().connections, 0);
}
