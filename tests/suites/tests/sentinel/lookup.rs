//! How a server is found, and what sentinels are told.

use redis::sentinel::SentinelServerType;
use redis::{AsyncCommands, Client, ErrorKind, RedisResult, TlsCertificates, Value, cmd};
use redis_authx_emulator::SentinelAuth;
use redis_authx_redis::SentinelLogin;
use redis_authx_suites::Load;

use super::*;

/// Opens a connection, and again where a sentinel took longer than the two
/// seconds it is given, as on a busy machine.
async fn open(service: &AuthSentinelClient) -> RedisResult<AuthConnection> {
    loop {
        match service.multiplexed_with_config(patient()).await {
            Err(error) if error.is_timeout() => {}
            opened => return opened,
        }
    }
}

async fn role(connection: &mut AuthConnection) -> String {
    let role: Vec<Value> = cmd("ROLE").query_async(connection).await.unwrap();
    redis::from_redis_value(role.into_iter().next().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_to_the_master_or_to_a_replica() {
    let bed = lasting().await;
    control(&bed).wait_until_ok().await.unwrap();
    let mut master = service(&bed)
        .multiplexed_with_config(patient())
        .await
        .unwrap();
    let () = master.set(KEY, 1).await.unwrap();
    assert_eq!(role(&mut master).await, "master");
    // The server is logged in to once, and with one token.
    assert_eq!(bed.emulator.redis().auths(), 1);
    let replica = service(&bed).server_type(SentinelServerType::Replica);
    let mut replica = replica.manager_with_config(patient()).await.unwrap();
    assert_eq!(role(&mut replica).await, "slave");
    let error = replica.set::<_, _, ()>(KEY, 2).await.unwrap_err();
    assert_eq!(error.code(), Some("READONLY"), "{error}");
    // That is no reason to leave it.
    assert_eq!(role(&mut replica).await, "slave");
    assert_eq!(bed.emulator.redis().auths(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_rotations_fail_no_command() {
    const ROTATIONS: usize = 20;
    let bed = bed().calm().start().await;
    let connections = [waiting(&bed).await, waiting(&bed).await];
    let redis = bed.emulator.redis();
    let (generation_before, auths_before) =
        bed.tally(async || bed.settled(&connections).await).await;
    let load = Load::start(&connections, 16);
    bed.rotate(ROTATIONS).await;
    let (generation, auths) = bed.tally(async || bed.settled(&connections).await).await;
    let (rotations, auths) = (generation - generation_before, auths - auths_before);
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert!(rotations >= ROTATIONS as u64, "{rotations}");
    assert_eq!(auths, 2 * rotations);
    assert_eq!(redis.closed_by_expiry() + redis.auths_refused(), 0);
    println!(
        "{rotations} rotations, {auths} AUTHs, {} commands, 0 failed",
        seen.acknowledged
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_that_are_down_are_passed_over() {
    let bed = lasting().await;
    let running = control(&bed).sentinel_urls()[2].clone();
    let sentinels = ["redis://127.0.0.1:1".to_owned(), running];
    let mut connection = open(&knowing(&bed, &sentinels)).await.unwrap();
    let () = connection.set(KEY, 1).await.unwrap();

    let none = open(&knowing(&bed, &sentinels[..1])).await;
    assert!(none.unwrap_err().is_io_error());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_known_is_named() {
    let bed = lasting().await;
    let url = control(&bed).sentinel_urls()[0].as_str();
    let client = AuthClient::open(url, bed.manager.credentials()).unwrap();
    let service = client.sentinel("nobody");
    for service in [
        service.clone(),
        service.server_type(SentinelServerType::Replica),
    ] {
        let error = open(&service).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MasterNameNotFoundBySentinel);
        assert!(error.to_string().contains("nobody"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_may_demand_a_token() {
    let bed = bed()
        .calm()
        .sentinel_login(SentinelAuth::Token)
        .start()
        .await;
    let refused = open(&service(&bed)).await.unwrap_err();
    assert_eq!(refused.code(), Some("NOAUTH"), "{refused}");
    let service = service(&bed).sentinel_login(SentinelLogin::Token);
    let connection = service.manager_with_config(patient()).await.unwrap();
    // Tokens have changed when they are asked again.
    bed.rotate(2).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    bed.emulator.redis().drop_connections();
    let load = Load::start(std::slice::from_ref(&connection), 1);
    bed.until("commands are answered", |_| load.seen().acknowledged > 100)
        .await;
    load.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_may_demand_a_password() {
    let bed = bed()
        .lifetime(Duration::from_secs(600))
        .sentinel_login(SentinelAuth::password("watcher", "s3cret"))
        .start()
        .await;
    let wrong = SentinelLogin::password("watcher", "hunter2");
    assert_eq!(format!("{wrong:?}"), "Password(..)");
    let wrong = open(&service(&bed).sentinel_login(wrong)).await;
    let error = wrong.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidClientConfig, "{error}");
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert_eq!(bed.rotations(), 0, "a fresh token would not help");
    let right = SentinelLogin::password("watcher", "s3cret");
    let opened = service(&bed).sentinel_login(right);
    let mut connection = opened.multiplexed_with_config(patient()).await.unwrap();
    let () = connection.set(KEY, 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_and_servers_over_tls() {
    let bed = lasting().await;
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(bed.emulator.ca_pem().as_bytes().to_vec()),
    };
    let url = control(&bed).sentinel_tls_urls()[0].as_str();
    let target = Client::build_with_tls(format!("{url}/?protocol=resp3"), certificates).unwrap();
    let target = target.get_connection_info().clone();
    let client = AuthClient::open(target, bed.manager.credentials()).unwrap();
    let service = client.sentinel(control(&bed).master_name());
    let mut connection = service.multiplexed_with_config(patient()).await.unwrap();
    let () = connection.set(KEY, 1).await.unwrap();
    let stranger = AuthClient::open(url, bed.manager.credentials()).unwrap();
    let stranger = stranger.sentinel(control(&bed).master_name());
    let error = open(&stranger).await.unwrap_err().to_string();
    assert!(error.to_lowercase().contains("certificate"), "{error}");
}
