//! The cluster changes while tokens do: what the application sees is no worse
//! than with redis-rs's own client and a password that never changes, beside
//! ours in the same run.

use redis::AsyncCommands;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis_authx_suites::{Load, Seen};

use super::*;

/// Of each client.
const TASKS: usize = 8;

/// Of commands that may be under way when a node dies, what the one client has
/// to be luckier than the other.
const LUCK: u64 = 2 * TASKS as u64;

/// redis-rs's own, with a token that outlives the test for its password.
async fn with_a_password(bed: &Bed) -> ClusterConnection {
    let token = bed.emulator.issue_token(Duration::from_secs(3600));
    let nodes = [control(bed).urls()[0].as_str()];
    let settings = patient(ClusterClient::builder(nodes));
    let settings = settings.username(bed.emulator.object_id()).password(token);
    let client = settings.build().unwrap();
    client.get_async_connection().await.unwrap()
}

/// Both clients under load, while `change` happens and tokens rotate.
async fn no_worse(what: &str, bed: BedBuilder, change: impl AsyncFnOnce(&Bed)) {
    let bed = bed.calm().start().await;
    let connection = connect(&bed).await;
    let password = with_a_password(&bed).await;
    let ours = Load::over(keys(), std::slice::from_ref(&connection), TASKS);
    let theirs = Load::over(keys(), std::slice::from_ref(&password), TASKS);
    bed.rotate(1).await;
    let rotations = bed.rotations();
    change(&bed).await;
    bed.rotate(2).await;
    bed.until("both answer", |_| {
        ours.seen().acknowledged > 0 && theirs.seen().acknowledged > 0
    })
    .await;
    // Once all is well, nothing fails any more, on any node.
    let calm = [ours.seen(), theirs.seen()];
    bed.rotate(2).await;
    let (after, after_theirs) = (ours.seen(), theirs.seen());
    assert!(after.acknowledged > calm[0].acknowledged, "{after:?}");
    let rotations = bed.rotations() - rotations;
    let (ours, theirs) = (ours.stop().await, theirs.stop().await);
    println!(
        "{what}, {rotations} rotations: {} of {} failed, with a password {} of {}",
        ours.failed, ours.acknowledged, theirs.failed, theirs.acknowledged
    );
    assert!(ours.failed <= theirs.failed + LUCK, "{ours:#?} {theirs:#?}");
    if after_theirs.failed == calm[1].failed {
        assert_eq!(after.failed, calm[0].failed, "{ours:#?}");
    }
    assert_logged_in(&bed, &ours);
}

/// No token was to blame for anything.
fn assert_logged_in(bed: &Bed, seen: &Seen) {
    let redis = bed.emulator.redis();
    assert_eq!(redis.auths_refused() + redis.closed_by_expiry(), 0);
    let about_tokens = |text: &&String| text.contains("NOAUTH") || text.contains("logged in");
    assert_eq!(seen.errors.iter().find(about_tokens), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_by_command() {
    no_worse("failover by command", bed(), async |bed| {
        let replica = control(bed).fail_over(0).await.unwrap();
        bed.rotate(1).await;
        control(bed).fail_over(replica).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_is_killed() {
    no_worse("killed primary", bed().resp3(), async |bed| {
        control(bed).kill_node(1);
        control(bed).wait_for_takeover(1).await.unwrap();
        control(bed).start_node(1).await.unwrap();
        control(bed).wait_until_ok().await.unwrap();
    })
    .await;
}

/// A node that is not known yet, or no more, is logged in to when it serves
/// slots.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_joins_gets_the_newest_token() {
    let bed = bed().calm().start().await;
    control(&bed).kill_node(4);
    control(&bed).wait_until_ok().await.unwrap();
    let mut connection = connect(&bed).await;
    let port = |node: usize| -> u16 {
        let url = &control(&bed).urls()[node];
        url.rsplit(':').next().unwrap().parse().unwrap()
    };
    let status = |connection: &AuthClusterConnection| {
        let nodes = connection.nodes();
        let found = nodes.iter().find(|node| node.address.port() == port(4));
        found.map(|node| node.connection.clone())
    };
    assert!(status(&connection).is_none());
    bed.rotate(2).await;
    control(&bed).start_node(4).await.unwrap();
    control(&bed).wait_until_ok().await.unwrap();
    assert_eq!(control(&bed).fail_over(1).await.unwrap(), 4);
    for key in keys().take(100) {
        let () = connection.set(key, 1).await.unwrap();
    }
    let joined = status(&connection).unwrap();
    assert!(joined.generation >= 3, "{joined:?}");
    let reports = bed.emulator.redis().connection_reports();
    let to_it = reports.iter().filter(|report| report.node == 4);
    assert!(to_it.clone().any(|report| report.open));
    assert_eq!(bed.emulator.redis().auths_refused(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_that_move() {
    no_worse("resharding", bed(), async |bed| {
        control(bed).migrate_slots(0, 1, 200).await.unwrap();
        bed.rotate(1).await;
        control(bed).migrate_slots(2, 0, 200).await.unwrap();
    })
    .await;
}
