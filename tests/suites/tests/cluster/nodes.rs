//! Which nodes are logged in to, and how.

use std::collections::HashMap;

use redis::cluster::NodeAddress;
use redis::cluster_read_routing::RandomReplicaStrategy;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{AsyncCommands, Client, ErrorKind, IntoConnectionInfo, TlsCertificates, Value, cmd};
use redis_authx::ReauthPolicy;
use redis_authx_redis::AuthClient;
use redis_authx_suites::{Load, prompt};

use super::*;

fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

fn to_node(bed: &Bed, node: usize) -> RoutingInfo {
    RoutingInfo::SingleNode(SingleNodeRoutingInfo::ByAddress {
        host: "127.0.0.1".to_owned(),
        port: port(&control(bed).urls()[node]),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_is_enough_to_find_the_others_and_one_may_be_down() {
    let bed = lasting().await;
    let first = control(&bed).urls()[0].clone();
    let builder = AuthClient::builder("redis://127.0.0.1:1", bed.manager.credentials());
    let client = builder.initial_nodes([first]).build().unwrap();
    let auths = bed.emulator.redis().auths();
    let mut connection = client.cluster_with(patient).await.unwrap();
    let () = connection.set(KEY, 1).await.unwrap();
    let nodes = connection.nodes();
    let ports: Vec<u16> = nodes.iter().map(|node| node.address.port()).collect();
    let mut expected: Vec<u16> = control(&bed).urls().iter().map(|url| port(url)).collect();
    expected.sort_unstable();
    assert_eq!(ports, expected);
    assert!(nodes.iter().all(|node| node.connection.generation == 1));
    assert_eq!(bed.emulator.redis().auths() - auths, NODES as u64);
}

/// A node that is logged out is logged in to again; the command is sent once
/// more, since it was not executed.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_logged_out_is_not_noticed() {
    let bed = lasting().await;
    let mut connection = connect(&bed).await;
    let node = control(&bed).primary_of_slot(12_182).await.unwrap();
    for value in 0..3 {
        let reset = connection.route_command(cmd("RESET"), to_node(&bed, node));
        reset.await.unwrap();
        let () = connection.set(KEY, value).await.unwrap();
        let () = redis::pipe()
            .set(KEY, value)
            .query_async(&mut connection)
            .await
            .unwrap();
    }
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), 2);
    bed.until("one connection a node is left", |bed| {
        bed.emulator.redis().connections() == NODES
    })
    .await;
}

/// What redis-rs has asked of a replica's connection, its replacement has too.
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_reads_from_the_replica_as_well() {
    let policy = ReauthPolicy::builder().stagger(0.0).replace_after(0.05);
    let bed = bed().lifetime(Duration::from_secs(60)).reauth(policy);
    let bed = bed.start().await;
    let connection = bed
        .client
        .cluster_with(|settings| patient(settings).read_routing_strategy(RandomReplicaStrategy));
    let mut connection = connection.await.unwrap();
    let accepted = bed.emulator.redis().connections_accepted();
    // Longer than any of them may take: all are replaced.
    bed.emulator
        .redis()
        .delay_next_auths(NODES as u64, Duration::from_secs(120));
    bed.turn().await;
    settled(&bed, &connection).await;
    assert_eq!(
        bed.emulator.redis().connections_accepted() - accepted,
        NODES as u64
    );
    for node in 0..NODES {
        let mut info = cmd("CLIENT");
        info.arg("INFO");
        let info = connection.route_command(info, to_node(&bed, node)).await;
        let info: String = redis::from_redis_value(info.unwrap()).unwrap();
        let flags = info.split("flags=").nth(1).unwrap();
        let flags = flags.split(' ').next().unwrap();
        assert!(flags.contains('r'), "node {node}: {info}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_node_gets_a_token_in_clear_text() {
    let bed = lasting().await;
    // The replica of the first primary is elsewhere, as far as we are told.
    let node = NodeAddress::new("127.0.0.1", port(&control(&bed).urls()[3]));
    let elsewhere = NodeAddress::new("cache.example", 6379);
    let map = HashMap::from([(node, elsewhere)]);
    let opened = bed
        .client
        .cluster_with(|settings| patient(settings).node_address_map(map));
    let error = opened.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidClientConfig);
    let text = error.to_string();
    assert!(text.contains("cache.example"), "{text}");
    assert!(text.contains("clear text"), "{text}");
}

fn prompt_client(bed: &Bed, target: impl IntoConnectionInfo) -> AuthClient {
    AuthClient::builder(target, bed.manager.credentials())
        .reauth_policy(prompt().build().unwrap())
        .build()
        .unwrap()
}

/// The root certificate may come with the target, or with the settings.
#[tokio::test(flavor = "multi_thread")]
async fn rotations_over_tls() {
    let bed = bed().calm().start().await;
    let url = control(&bed).tls_urls()[0].clone();
    let certificates = || TlsCertificates {
        client_tls: None,
        root_cert: Some(bed.emulator.ca_pem().as_bytes().to_vec()),
    };
    let target = Client::build_with_tls(url.clone(), certificates()).unwrap();
    let target = target.get_connection_info().clone();
    let by_target = prompt_client(&bed, target);
    let by_settings = prompt_client(&bed, url.as_str());
    let stranger = by_settings.cluster_with(patient).await.unwrap_err();
    let text = stranger.to_string();
    assert!(text.to_lowercase().contains("certificate"), "{text}");
    let connections = [
        by_target.cluster_with(patient).await.unwrap(),
        by_settings
            .cluster_with(|settings| patient(settings).certs(certificates()))
            .await
            .unwrap(),
    ];
    let load = Load::over(keys(), &connections, 8);
    bed.rotate(2).await;
    for connection in &connections {
        settled(&bed, connection).await;
    }
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

/// A user name of the settings does not get in the way of ours.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_in_the_settings_is_not_used() {
    let bed = lasting().await;
    let connection = bed
        .client
        .cluster_with(|settings| patient(settings).username("else").password("wrong"));
    let mut connection = connection.await.unwrap();
    let pong = connection
        .route_command(cmd("PING"), to_node(&bed, 0))
        .await;
    assert_eq!(pong.unwrap(), Value::SimpleString("PONG".to_owned()));
    assert_eq!(bed.emulator.redis().auths_refused(), 0);
}
