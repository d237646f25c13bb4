//! Rotations alone, under load.

use redis::{AsyncCommands, PushKind};
use redis_authx_suites::{BedBuilder, Load};

use super::*;

const ROTATIONS: usize = 20;

/// Twenty rotations with load on every node: nothing fails, and each node's
/// connection sends one AUTH a rotation.
async fn nothing_fails(bed: BedBuilder) {
    let bed = bed.calm().start().await;
    let redis = bed.emulator.redis();
    let before = redis.connections_accepted();
    let connection = connect(&bed).await;
    let (generation_before, auths_before) =
        bed.tally(async || settled(&bed, &connection).await).await;

    let load = Load::over(keys(), std::slice::from_ref(&connection), 32);
    bed.rotate(ROTATIONS).await;
    let (generation, auths) = bed.tally(async || settled(&bed, &connection).await).await;
    let rotations = (generation - generation_before) as usize;
    let auths = auths - auths_before;
    let seen = load.stop().await;

    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert!(seen.acknowledged > 0);
    assert!(rotations >= ROTATIONS, "{rotations}");
    assert_eq!(auths, (NODES * rotations) as u64);
    assert_eq!(redis.auths_refused() + redis.closed_by_expiry(), 0);
    let reports = redis.connection_reports();
    assert_eq!(redis.connections_accepted() - before, NODES as u64);
    assert!(
        reports
            .iter()
            .all(|report| report.auths_with_same_token == 0)
    );
    println!(
        "{rotations} rotations, {auths} AUTHs on {NODES} nodes, {} commands, 0 failed",
        seen.acknowledged
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_rotations_fail_no_command() {
    nothing_fails(bed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nor_in_resp3() {
    nothing_fails(bed().resp3()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_leaves_no_node_behind() {
    let bed = lasting().await;
    let connection = connect(&bed).await;
    let clone = connection.clone();
    drop(connection);
    assert_eq!(bed.manager.status().connections, NODES);
    assert_eq!(clone.nodes().len(), NODES);
    drop(clone);
    bed.until("every socket is closed", |bed| {
        bed.emulator.redis().connections() == 0
    })
    .await;
    assert_eq!(bed.manager.status().connections, 0);
}

/// redis-rs's own subscriptions, in RESP3: tokens change under them.
#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_hear_everything() {
    let bed = bed().resp3().calm().start().await;
    let (sender, mut pushes) = tokio::sync::mpsc::unbounded_channel();
    let connection = bed
        .client
        .cluster_with(|settings| patient(settings).push_sender(sender));
    let mut connection = connection.await.unwrap();
    connection.subscribe("news").await.unwrap();
    let target = bed.rotations() + 3;
    let mut published = 0;
    while bed.rotations() < target {
        let () = connection.publish("news", published).await.unwrap();
        published += 1;
        tokio::task::yield_now().await;
    }
    settled(&bed, &connection).await;
    let mut heard = 0;
    while heard < published {
        let push = tokio::time::timeout(PATIENCE, pushes.recv()).await;
        let push = push.expect("every message").unwrap();
        if push.kind == PushKind::Message {
            let number: u64 = redis::from_redis_value(push.data[1].clone()).unwrap();
            assert_eq!(number, heard);
            heard += 1;
        }
    }
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}
