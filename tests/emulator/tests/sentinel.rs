//! Sentinels, a master and its replicas behind gateways, and redis-rs's own sentinel client.
#![allow(clippy::unwrap_used)]

mod support;

use std::{collections::BTreeSet, time::Duration};

use redis::{
    AsyncCommands, ConnectionAddr, RedisResult, TlsCertificates, TlsMode,
    aio::MultiplexedConnection,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};
use redis_authx_emulator::{AuthRefusal, Emulator, SentinelAuth, SentinelControl, Store};
use support::{HOUR, Raw};

async fn emulator(login: SentinelAuth) -> Emulator {
    Emulator::builder()
        .store(Store::sentinel(2, 3))
        .sentinel_login(login)
        .start()
        .await
        .unwrap()
}

fn control(emulator: &Emulator) -> &SentinelControl {
    emulator.sentinel().unwrap()
}

fn port(url: &str) -> u16 {
    url.rsplit(':').next().unwrap().parse().unwrap()
}

/// A client that logs in to Redis with a token, and knows these sentinels.
fn builder(
    emulator: &Emulator,
    sentinels: &[String],
    kind: SentinelServerType,
) -> SentinelClientBuilder {
    let addresses = sentinels.iter().map(|url| {
        let (host, port) = ("127.0.0.1".to_owned(), port(url));
        if url.starts_with("redis:") {
            return ConnectionAddr::Tcp(host, port);
        }
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    });
    let name = control(emulator).master_name();
    SentinelClientBuilder::new(addresses, name, kind)
        .unwrap()
        .set_client_to_redis_username(emulator.object_id())
        .set_client_to_redis_password(emulator.issue_token(HOUR))
}

async fn connect(builder: SentinelClientBuilder) -> RedisResult<MultiplexedConnection> {
    let mut client = builder.build()?;
    let config = support::patient();
    client.get_async_connection_with_config(&config).await
}

async fn master(emulator: &Emulator) -> MultiplexedConnection {
    let urls = control(emulator).sentinel_urls();
    connect(builder(emulator, urls, SentinelServerType::Master))
        .await
        .unwrap()
}

/// The nodes that were connected to, as far as they are remembered.
fn nodes_used(emulator: &Emulator) -> BTreeSet<usize> {
    let reports = emulator.redis().connection_reports();
    reports.iter().map(|report| report.node).collect()
}

#[tokio::test]
async fn a_client_finds_the_master_and_the_replicas_at_their_gateways() {
    let emulator = emulator(SentinelAuth::None).await;
    let control = control(&emulator);
    assert_eq!(control.urls()[0], emulator.redis_url());
    assert_eq!(control.master().await.unwrap(), 0);
    let _: () = master(&emulator).await.set("a", 1).await.unwrap();
    assert_eq!(nodes_used(&emulator), BTreeSet::from([0]));
    let urls = control.sentinel_urls();
    let replica = builder(&emulator, urls, SentinelServerType::Replica);
    let mut replica = connect(replica).await.unwrap();
    let written: RedisResult<()> = replica.set("a", 2).await;
    assert_eq!(written.unwrap_err().code(), Some("READONLY"));
    // Two log-ins went to the master at least, one to a replica; none to a sentinel.
    assert!(emulator.redis().auths() >= 2);
    assert_eq!(emulator.redis().auths_refused(), 0);
    assert!(control.sentinels().connections_accepted() >= 2);
    assert_eq!(control.sentinels().auths(), 0);

    // The same with TLS throughout.
    let certificates = || TlsCertificates {
        client_tls: None,
        root_cert: Some(emulator.ca_pem().as_bytes().to_vec()),
    };
    let secured = builder(
        &emulator,
        control.sentinel_tls_urls(),
        SentinelServerType::Master,
    )
    .set_client_to_sentinel_tls_mode(TlsMode::Secure)
    .set_client_to_sentinel_certificates(certificates())
    .set_client_to_redis_tls_mode(TlsMode::Secure)
    .set_client_to_redis_certificates(certificates());
    let value: i32 = connect(secured).await.unwrap().get("a").await.unwrap();
    assert_eq!(value, 1);
    let last = emulator.redis().connection_reports().pop().unwrap();
    assert_eq!(last.port, port(emulator.redis_tls_url()));
}

#[tokio::test]
async fn sentinels_speak_of_gateways_only() {
    let emulator = emulator(SentinelAuth::None).await;
    let control = control(&emulator);
    let gateways: BTreeSet<u16> = control.urls().iter().map(|url| port(url)).collect();
    let sentinels: BTreeSet<u16> = control
        .sentinel_urls()
        .iter()
        .map(|url| port(url))
        .collect();
    let mut raw = Raw::open_at(&control.sentinel_urls()[0]).await;
    let name = control.master_name();
    let master = port(&control.urls()[0]).to_string();
    raw.expect(
        &format!("SENTINEL get-master-addr-by-name {name}\r\n"),
        &format!("*2\r\n$9\r\n127.0.0.1\r\n${}\r\n{master}\r\n", master.len()),
    )
    .await;
    for (command, among, count) in [
        ("SENTINEL MASTERS\r\n".to_owned(), &gateways, 1),
        (format!("SENTINEL MASTER {name}\r\n"), &gateways, 1),
        (format!("SENTINEL REPLICAS {name}\r\n"), &gateways, 4),
        (format!("SENTINEL SLAVES {name}\r\n"), &gateways, 4),
        (format!("SENTINEL SENTINELS {name}\r\n"), &sentinels, 2),
    ] {
        raw.send(&command).await;
        let reply = raw.reply().await;
        let lines: Vec<&str> = reply.split("\r\n").collect();
        // A key, the length of its value, the value.
        let named: Vec<u16> = lines
            .windows(3)
            .filter(|lines| ["port", "master-port"].contains(&lines[0]))
            .map(|lines| lines[2].parse().unwrap())
            .collect();
        assert_eq!(named.len(), count, "{command}: {reply}");
        assert!(named.iter().all(|port| among.contains(port)), "{reply}");
    }
    let mut raw = Raw::logged_in(&emulator, HOUR).await;
    raw.send("ROLE\r\n").await;
    let role = raw.reply().await;
    for replica in &control.urls()[1..] {
        assert!(
            role.contains(&format!("\r\n{}\r\n", port(replica))),
            "{role}"
        );
    }
}

#[tokio::test]
async fn after_a_failover_and_after_a_death_the_new_master_is_found() {
    let emulator = emulator(SentinelAuth::None).await;
    let control = control(&emulator);
    let _: () = master(&emulator).await.set("a", 1).await.unwrap();
    let second = control.fail_over().await.unwrap();
    assert_ne!(second, 0);
    assert_eq!(control.master().await.unwrap(), second);
    let value: i32 = master(&emulator).await.incr("a", 1).await.unwrap();
    assert_eq!(value, 2);
    assert!(nodes_used(&emulator).contains(&second));
    control.wait_until_ok().await.unwrap();

    assert_eq!(control.kill_master().await.unwrap(), second);
    let third = control.wait_for_takeover(second).await.unwrap();
    assert_ne!(third, second);
    let value: i32 = master(&emulator).await.incr("a", 1).await.unwrap();
    assert_eq!(value, 3);

    control.start_node(second).await.unwrap();
    control.wait_until_ok().await.unwrap();
    assert_eq!(control.master().await.unwrap(), third);
}

/// The second is told that a failover is under way, and waits for its end.
#[tokio::test]
async fn two_failovers_at_once_are_one() {
    let emulator = emulator(SentinelAuth::None).await;
    let control = control(&emulator);
    let (one, other) = tokio::join!(control.fail_over(), control.fail_over());
    let new = one.unwrap();
    assert_ne!(new, 0);
    assert_eq!(other.unwrap(), new);
}

#[tokio::test]
async fn without_a_replica_there_is_no_failover() {
    let store = Store::sentinel(0, 1);
    let emulator = Emulator::builder().store(store).start().await.unwrap();
    let told = control(&emulator).fail_over().await.unwrap_err();
    assert!(told.to_string().contains("no replica"), "{told}");
}

#[tokio::test]
async fn a_sentinel_may_die_and_come_back() {
    let emulator = emulator(SentinelAuth::Token).await;
    let control = control(&emulator);
    control.kill_sentinel(0);
    assert_eq!(control.master().await.unwrap(), 0);
    control.start_sentinel(0).await.unwrap();
    let mut raw = Raw::open_at(&control.sentinel_urls()[0]).await;
    raw.auth(&emulator, HOUR).await;
    raw.expect("PING\r\n", "+PONG\r\n").await;
    control.wait_until_ok().await.unwrap();
}

#[tokio::test]
async fn sentinels_that_want_a_token_refuse_others_and_end_with_it() {
    let emulator = emulator(SentinelAuth::Token).await;
    let control = control(&emulator);
    let urls = control.sentinel_urls();
    let with = |user: &str, password: &str| {
        builder(&emulator, urls, SentinelServerType::Master)
            .set_client_to_sentinel_username(user)
            .set_client_to_sentinel_password(password)
    };
    let token = emulator.issue_token(HOUR);
    let mut connection = connect(with(emulator.object_id(), &token)).await.unwrap();
    let _: () = connection.set("a", 1).await.unwrap();
    assert!(control.sentinels().auths() >= 1);
    assert_eq!(control.sentinels().auths_refused(), 0);
    assert!(
        connect(with(emulator.object_id(), "no token"))
            .await
            .is_err()
    );
    assert!(control.sentinels().auths_refused() >= 1);
    let stranger = builder(&emulator, urls, SentinelServerType::Master);
    assert!(connect(stranger).await.is_err());
    assert_eq!(emulator.redis().auths_refused(), 0);

    let mut raw = Raw::open_at(&urls[1]).await;
    raw.expect("PING\r\n", "-NOAUTH Authentication required.\r\n")
        .await;
    raw.auth(&emulator, Duration::from_secs(3)).await;
    assert_eq!(raw.rest().await, "");
    let closed = || control.sentinels().closed_by_expiry() == 1;
    support::eventually("the count", closed).await;
    assert_eq!(emulator.redis().closed_by_expiry(), 0);
}

#[tokio::test]
async fn sentinels_with_a_password_refuse_tokens_and_other_passwords() {
    let emulator = emulator(SentinelAuth::password("watcher", "pass word")).await;
    let control = control(&emulator);
    let urls = control.sentinel_urls();
    let with = |user: &str, password: &str| {
        builder(&emulator, urls, SentinelServerType::Master)
            .set_client_to_sentinel_username(user)
            .set_client_to_sentinel_password(password)
    };
    let mut connection = connect(with("watcher", "pass word")).await.unwrap();
    let _: () = connection.set("a", 1).await.unwrap();
    let token = emulator.issue_token(HOUR);
    for (user, password) in [
        ("watcher", "password"),
        ("other", "pass word"),
        (emulator.object_id(), &token),
    ] {
        assert!(connect(with(user, password)).await.is_err());
        let reports = control.sentinels().connection_reports();
        let last = reports.last().unwrap();
        assert_eq!(last.last_refusal, Some(AuthRefusal::WrongPassword));
    }
    // Not the default user's.
    let mut raw = Raw::open_at(&urls[0]).await;
    raw.expect(
        "*2\r\n$4\r\nAUTH\r\n$9\r\npass word\r\n",
        "-WRONGPASS invalid username-password pair or user is disabled.\r\n",
    )
    .await;
    // Nor is it shown.
    let shown = format!("{control:?} {:?}", control.sentinels());
    assert!(!shown.contains("pass word"), "{shown}");
}

#[tokio::test]
async fn steering_may_be_spawned() {
    fn sendable<T: Send>(future: T) -> T {
        future
    }
    let store = Store::sentinel(0, 1);
    let start = Emulator::builder().store(store).start();
    let emulator = sendable(start).await.unwrap();
    let control = control(&emulator);
    sendable(control.wait_until_ok()).await.unwrap();
    assert_eq!(sendable(control.master()).await.unwrap(), 0);
    drop(sendable(control.fail_over()));
    drop(sendable(control.wait_for_takeover(0)));
    drop(sendable(control.kill_master()));
}
