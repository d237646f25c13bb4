//! Who may in at each node, and what clients are told of the nodes.

use std::{collections::BTreeSet, time::Duration};

use redis::{AsyncCommands, cluster::ClusterClient};

use super::*;
use crate::support::eventually;

const NODES: usize = 6;

#[tokio::test]
async fn every_node_wants_a_token_and_names_gateways_only() {
    let emulator = emulator().await;
    let urls = control(&emulator).urls();
    assert_eq!(urls.len(), NODES);
    assert_eq!(urls[0], emulator.redis_url());
    assert_eq!(control(&emulator).primaries().await.unwrap(), [0, 1, 2]);
    let gateways: BTreeSet<_> = urls.iter().map(|url| port(url)).collect();
    for (node, url) in urls.iter().enumerate() {
        let mut stranger = Raw::open_at(url).await;
        stranger
            .expect("CLUSTER SLOTS\r\n", "-NOAUTH Authentication required.\r\n")
            .await;
        let mut raw = raw(&emulator, node, HOUR).await;

        raw.send("CLUSTER SLOTS\r\n").await;
        let slots = raw.reply().await;
        let named: Vec<u16> = slots
            .split("127.0.0.1\r\n:")
            .skip(1)
            .map(|rest| rest.split('\r').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(named.len(), NODES, "{slots}");
        assert_eq!(named.into_iter().collect::<BTreeSet<_>>(), gateways);

        raw.send("CLUSTER NODES\r\n").await;
        let nodes = raw.reply().await;
        let named = nodes.split("127.0.0.1:").skip(1);
        let named = named.map(|rest| rest.split('@').next().unwrap().parse().unwrap());
        assert_eq!(named.collect::<BTreeSet<u16>>(), gateways, "{nodes}");

        raw.send("CLUSTER SHARDS\r\n").await;
        let shards = raw.reply().await;
        let named = shards.split("$4\r\nport\r\n:").skip(1);
        let named = named.map(|rest| rest.split('\r').next().unwrap().parse().unwrap());
        assert_eq!(named.collect::<BTreeSet<u16>>(), gateways, "{shards}");

        raw.send("INFO replication\r\n").await;
        let info = raw.reply().await;
        let mark = if node < 3 { ",port=" } else { "master_port:" };
        let other = info.split(mark).nth(1).unwrap();
        let digits: String = other.chars().take_while(char::is_ascii_digit).collect();
        assert!(gateways.contains(&digits.parse().unwrap()), "{info}");
    }
    // Each gateway saw two connections, and says which.
    let reports = emulator.redis().connection_reports();
    assert_eq!(emulator.redis().auths(), NODES as u64);
    for (node, url) in urls.iter().enumerate() {
        let here: Vec<_> = reports
            .iter()
            .filter(|report| report.node == node)
            .collect();
        assert_eq!(here.len(), 2);
        assert!(here.iter().all(|report| report.port == port(url)));
    }
}

#[tokio::test]
async fn redirections_name_gateways_also_within_a_transaction() {
    let emulator = emulator().await;
    let gateway = port(&control(&emulator).urls()[2]);
    let mut raw = raw(&emulator, 0, HOUR).await;
    // The key foo is in slot 12182, of the last third.
    let moved = format!("-MOVED 12182 127.0.0.1:{gateway}\r\n");
    raw.expect("GET foo\r\n", &moved).await;
    raw.expect("MULTI\r\nGET foo\r\n", &format!("+OK\r\n{moved}"))
        .await;
    raw.expect(
        "EXEC\r\n",
        "-EXECABORT Transaction discarded because of previous errors.\r\n",
    )
    .await;
    // What is data stays as it is; the key bar is in slot 5061, of the first third.
    raw.expect("SET bar 127.0.0.1:17000\r\n", "+OK\r\n").await;
    raw.expect(
        "MGET bar bar\r\n",
        "*2\r\n$15\r\n127.0.0.1:17000\r\n$15\r\n127.0.0.1:17000\r\n",
    )
    .await;
}

#[tokio::test]
async fn steering_may_be_spawned() {
    fn sendable<T: Send>(future: T) -> T {
        future
    }
    let start = Emulator::builder().store(Store::cluster(1, 0)).start();
    let emulator = sendable(start).await.unwrap();
    let control = control(&emulator);
    sendable(control.wait_until_ok()).await.unwrap();
    assert_eq!(sendable(control.primaries()).await.unwrap(), [0]);
    assert!(sendable(control.fail_over(0)).await.is_err());
    drop(sendable(control.migrate_slots(0, 0, 0)));
    drop(sendable(control.wait_for_takeover(0)));
    drop(sendable(control.finish_migration(0, 0, 0)));
}

/// Writes and reads a hundred keys, which every primary has some of.
async fn hundred_keys(client: &ClusterClient) {
    let mut connection = client.get_async_connection().await.unwrap();
    for n in 0..100 {
        let _: () = connection.set(format!("key-{n}"), n).await.unwrap();
    }
    for n in 0..100 {
        let value: i32 = connection.get(format!("key-{n}")).await.unwrap();
        assert_eq!(value, n);
    }
}

#[tokio::test]
async fn a_cluster_client_uses_every_primary_with_tls_and_without() {
    let emulator = emulator().await;
    let control = control(&emulator);
    for urls in [control.urls(), control.tls_urls()] {
        // One node is enough to find the others.
        hundred_keys(&client(&emulator, &urls[..1])).await;
        let ports: BTreeSet<_> = urls[..3].iter().map(|url| port(url)).collect();
        let reports = emulator.redis().connection_reports();
        let used: BTreeSet<_> = reports.iter().map(|report| report.port).collect();
        assert!(used.is_superset(&ports), "{used:?}");
    }
    assert_eq!(emulator.redis().auths_refused(), 0);
    let stranger = builder(&emulator, &control.urls()[..1], HOUR)
        .password("no token")
        .build()
        .unwrap();
    assert!(stranger.get_async_connection().await.is_err());
}

#[tokio::test]
async fn an_expired_token_ends_the_connections_to_every_node() {
    let emulator = emulator().await;
    let mut connections = Vec::new();
    for node in 0..NODES {
        connections.push(raw(&emulator, node, Duration::from_secs(3)).await);
    }
    for mut connection in connections {
        assert_eq!(connection.rest().await, "");
    }
    let closed = || emulator.redis().closed_by_expiry() == NODES as u64;
    eventually("every connection's end", closed).await;
    let reports = emulator.redis().connection_reports();
    let closed = reports.iter().filter(|report| report.closed_by_expiry);
    let nodes: BTreeSet<_> = closed.map(|report| report.node).collect();
    assert_eq!(nodes, (0..NODES).collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn connections_to_one_node_can_be_dropped() {
    let emulator = emulator().await;
    let mut kept = raw(&emulator, 0, HOUR).await;
    let mut lost = raw(&emulator, 4, HOUR).await;
    emulator.redis().drop_node_connections(4);
    assert_eq!(lost.rest().await, "");
    kept.expect("PING\r\n", "+PONG\r\n").await;
}
