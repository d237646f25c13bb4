//! A master with a replica, behind sentinels.

use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::{Config, Server, ServerConfig};
use redis_authx_emulator::{SentinelLogin, Store};
use redis_authx_suites::{Bed, KEY};

use crate::site::Site;

pub(crate) async fn behind_sentinels(login: SentinelLogin) -> Site {
    let bed = Bed::builder().store(Store::sentinel(1, 3));
    Site::start(bed.sentinel_login(login)).await
}

pub(crate) fn config(site: &Site, login: Option<(&str, &str)>) -> Config {
    let sentinel = site.emulator.sentinel().unwrap();
    let port = |url: &String| url.rsplit_once(':').unwrap().1.parse().unwrap();
    let hosts = sentinel.sentinel_urls().iter();
    let hosts = hosts.map(|url| Server::new("127.0.0.1", port(url)));
    Config {
        server: ServerConfig::Sentinel {
            hosts: hosts.collect(),
            service_name: sentinel.master_name().to_owned(),
            username: login.map(|(user, _)| user.to_owned()),
            password: login.map(|(_, password)| password.to_owned()),
        },
        version: site.version.clone(),
        ..Config::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_have_a_password_of_their_own() {
    let site = behind_sentinels(SentinelLogin::password("watcher", "s3cret")).await;
    let config = config(&site, Some(("watcher", "s3cret")));
    let client = site.clients_of(config).build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    site.rotate(2).await;
    site.settled(1).await;
    assert_eq!(client.incr::<u64, _>(KEY).await.unwrap(), 1);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}
