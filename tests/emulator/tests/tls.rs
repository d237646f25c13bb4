//! The TLS listener of the Redis side, with the redis crate and nothing trusted but the CA.
#![allow(clippy::unwrap_used)]

mod support;

use redis::{AsyncCommands, Client, IntoConnectionInfo, TlsCertificates};
use redis_authx_emulator::Emulator;
use support::{HOUR, STORES, emulator, open};

fn client(emulator: &Emulator, ca: &str) -> Client {
    let info = format!("{}?protocol=resp3", emulator.redis_tls_url());
    let info = info.into_connection_info().unwrap();
    let settings = info
        .redis_settings()
        .clone()
        .set_username(emulator.object_id())
        .set_password(emulator.issue_token(HOUR));
    let certificates = TlsCertificates {
        client_tls: None,
        root_cert: Some(ca.as_bytes().to_vec()),
    };
    Client::build_with_tls(info.set_redis_settings(settings), certificates).unwrap()
}

#[tokio::test]
async fn clients_that_trust_the_ca_are_served_and_others_are_not() {
    for store in STORES {
        let emulator = emulator(store).await;
        let client_of_it = client(&emulator, emulator.ca_pem());
        let mut connection = open(&client_of_it).await.unwrap();
        let value = "x".repeat(300_000);
        let _: () = connection.set("large", &value).await.unwrap();
        let back: String = connection.get("large").await.unwrap();
        assert_eq!(back, value);
        let mut pipeline = redis::pipe();
        for _ in 0..5000 {
            pipeline.incr("n", 1).ignore();
        }
        let () = pipeline.query_async(&mut connection).await.unwrap();
        let count: i64 = connection.get("n").await.unwrap();
        assert_eq!(count, 5000);

        let other = Emulator::builder().start().await.unwrap();
        let stranger = client(&emulator, other.ca_pem());
        assert!(open(&stranger).await.is_err());
    }
}
