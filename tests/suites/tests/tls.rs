//! The whole way over TLS, in both protocols.

use redis::{AsyncCommands, Client, TlsCertificates};
use redis_authx_redis::AuthClient;
use redis_authx_suites::{Bed, Load, patient};

#[tokio::test(flavor = "multi_thread")]
async fn rotations_over_tls() {
    let bed = Bed::builder().start().await;
    let mut connections = Vec::new();
    for protocol in ["resp2", "resp3"] {
        let url = format!(
            "{}/?protocol={protocol}",
            bed.emulator.redis_tls_url().trim_end_matches('/')
        );
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(bed.emulator.ca_pem().as_bytes().to_vec()),
        };
        let target = Client::build_with_tls(url, certificates).unwrap();
        let target = target.get_connection_info().clone();
        let client = AuthClient::open(target, bed.manager.credentials()).unwrap();
        let opened = client.multiplexed_with_config(patient()).await;
        connections.push(opened.unwrap());
    }
    let load = Load::start(&connections, 8);
    bed.rotate(4).await;
    bed.settled(&connections).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

/// No certificate that we trust, no token sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_trusted_gets_no_token() {
    let bed = Bed::builder().start().await;
    let client = AuthClient::open(bed.emulator.redis_tls_url(), bed.manager.credentials()).unwrap();
    let refused = client.multiplexed_with_config(patient()).await;
    let error = refused.unwrap_err().to_string();
    assert!(error.to_lowercase().contains("certificate"), "{error}");
    let redis = bed.emulator.redis();
    assert_eq!(redis.auths() + redis.auths_refused(), 0);
    let mut trusted = bed.multiplexed().await;
    let () = trusted.set("key", 1).await.unwrap();
}
