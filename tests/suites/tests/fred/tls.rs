//! The whole way over TLS.

use std::sync::Arc;

use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::RespVersion;
use fred::types::config::{Config, ServerConfig, TlsConfig, TlsConnector};
use redis_authx_emulator::Store;
use redis_authx_suites::{Bed, KEY, prompt};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::cluster::many_keys;
use crate::load::Load;
use crate::sentinel;
use crate::site::Site;

/// Trusts these authorities, and no others.
fn trusting(authorities: &[&str]) -> TlsConfig {
    let mut roots = RootCertStore::empty();
    for authority in authorities {
        let authority = CertificateDer::from_pem_slice(authority.as_bytes());
        roots.add(authority.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(config).into()
}

fn config(site: &Site, url: &str) -> Config {
    let mut config = Config::from_url(url).unwrap();
    config.tls = Some(trusting(&[site.emulator.ca_pem()]));
    config
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_over_tls() {
    let site = Site::start(Bed::builder().outlived()).await;
    let site = site.renewed_by(prompt());
    let resp2 = config(&site, site.emulator.redis_tls_url());
    let mut resp3 = resp2.clone();
    resp3.version = RespVersion::RESP3;
    let mut loads = Vec::new();
    for config in [resp2, resp3] {
        let client = site.clients_of(config).build().unwrap();
        client.init().await.unwrap();
        loads.push(Load::start(&client, 4, Load::one_key));
    }
    site.settled(2).await;
    site.rotate(6).await;
    site.settled(2).await;
    for load in loads {
        let seen = load.stop().await;
        assert_eq!(seen.errors, [""; 0]);
        assert!(seen.acknowledged > 0);
    }
    let redis = site.emulator.redis();
    site.opened(2).await;
    assert_eq!(redis.closed_by_expiry(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_over_tls() {
    let site = Site::start(Bed::builder().store(Store::cluster(3, 1))).await;
    let nodes = site.emulator.cluster().unwrap();
    let url = nodes.tls_urls()[0].replace("rediss://", "rediss-cluster://");
    let client = site.clients_of(config(&site, &url)).build().unwrap();
    client.init().await.unwrap();
    site.settled(3).await;
    let load = Load::start(&client, 8, many_keys);
    site.rotate(3).await;
    site.settled(3).await;
    assert_eq!(load.stop().await.errors, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_and_servers_over_tls() {
    let site = Site::start(Bed::builder().store(Store::sentinel(1, 3)).calm()).await;
    let port = |url: &String| url.rsplit_once(':').unwrap().1.parse().unwrap();
    let urls = site.emulator.sentinel().unwrap().sentinel_tls_urls();
    let hosts = urls.iter().map(|url| ("127.0.0.1".to_owned(), port(url)));
    let mut config = sentinel::config(&site, None);
    let name = site.emulator.sentinel().unwrap().master_name();
    config.server = ServerConfig::new_sentinel(hosts.collect(), name);
    config.tls = Some(trusting(&[site.emulator.ca_pem()]));
    let client = site.clients_of(config).build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let load = Load::start(&client, 4, Load::one_key);
    site.rotate(2).await;
    site.settled(1).await;
    assert_eq!(load.stop().await.errors, [""; 0]);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

/// No certificate that we trust, no token sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_trusted_gets_no_token() {
    let site = Site::start(Bed::builder().calm()).await;
    let mut config = config(&site, site.emulator.redis_tls_url());
    config.tls = Some(trusting(&[]));
    let client = site.clients_of(config).build().unwrap();
    let error = client.init().await.unwrap_err().to_string();
    assert!(error.to_lowercase().contains("certificate"), "{error}");
    client.quit().await.unwrap();
    let redis = site.emulator.redis();
    assert_eq!(redis.auths() + redis.auths_refused(), 0);
    let trusted = site.clients().build().unwrap();
    trusted.init().await.unwrap();
    assert_eq!(trusted.incr::<u64, _>(KEY).await.unwrap(), 1);
}
