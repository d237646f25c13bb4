//! Every mistake is found by `build`, and named.

mod common;

use common::*;
use redis_authx::ConfigError;
use redis_authx_entraid::{Authority, ClientSecret, UreqClient};

fn refused(builder: ClientSecret) -> ConfigError {
    builder.build().expect_err("a bad configuration")
}

fn with(client_id: &str, secret: &str) -> ConfigError {
    refused(ClientSecret::new(client_id, secret).authority(Authority::tenant("t")))
}

#[test]
fn client_ids() {
    for id in ["", " ", "\t\n", "a b", "id\n", "\u{a0}id"] {
        let error = with(id, SECRET);
        assert_eq!(error.field(), "client_id", "{id:?}");
        assert!(error.allowed().contains("app registration"));
    }
    // Swapped by mistake: the secret stays out of the message.
    let error = with("hunter2 ", "hunter2 ");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[test]
fn secrets() {
    for secret in ["", " ", "\n", "hunter2\n", "hunter2\r\n", "\nhunter2"] {
        let error = with(CLIENT_ID, secret);
        assert_eq!(error.field(), "client_secret", "{secret:?}");
        assert!(error.found().is_some());
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn scopes() {
    for scope in [
        "",
        " ",
        "https://redis.azure.com",
        "https://redis.azure.com/",
        ".default",
        "/.default",
        "https://redis.azure.com/.default ",
        "https://redis.azure.com/.default offline_access",
        "openid https://redis.azure.com/.default",
        "a\n/.default",
    ] {
        let error = refused(builder().scope(scope));
        assert_eq!(error.field(), "scope", "{scope:?}");
        assert_eq!(error.found(), Some(&*format!("{scope:?}")));
        assert!(error.allowed().contains("/.default"));
    }
}

#[test]
fn authorities() {
    let error = refused(ClientSecret::new(CLIENT_ID, SECRET));
    assert_eq!(error.field(), "authority");
    assert_eq!(
        error.found(),
        Some("https://login.microsoftonline.com/common")
    );
    assert!(error.allowed().contains("Authority::tenant"));

    let error = refused(builder().authority(Authority::tenant("a/b")));
    assert_eq!(
        (error.field(), error.found()),
        ("authority.tenant", Some("\"a/b\""))
    );

    let error = refused(builder().authority(Authority::custom("http://example.com/t")));
    assert_eq!(error.field(), "authority.url");
    assert_eq!(error.found(), Some("http://example.com/t"));
}

#[test]
fn username_claims() {
    for claim in ["", " "] {
        assert_eq!(
            refused(builder().username_claim(claim)).field(),
            "username_claim"
        );
    }
}

#[test]
fn the_http_client() {
    let refused = |builder: redis_authx_entraid::UreqClientBuilder| {
        builder.build().expect_err("a bad configuration")
    };
    let zero = std::time::Duration::ZERO;
    assert_eq!(
        refused(UreqClient::builder().timeout(zero)).field(),
        "timeout"
    );
    let error = refused(UreqClient::builder().connect_timeout(zero));
    assert_eq!(error.field(), "connect_timeout");

    let empty = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n";
    let cut = "-----BEGIN CERTIFICATE-----\naGVsbG8=\n";
    for pem in ["", "hunter2", empty, key, cut] {
        let error = refused(UreqClient::builder().root_certificate_pem(pem));
        assert_eq!(error.field(), "root_certificate_pem", "{pem}");
        assert!(!error.to_string().contains("aHVudGVyMg"), "{error}");
    }
}
