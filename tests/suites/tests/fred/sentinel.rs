//! A master with a replica, behind sentinels.

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::{Config, Server, ServerConfig};
use redis_authx_emulator::{SentinelLogin, Store};
use redis_authx_suites::{Bed, KEY};

use crate::load::Load;
use crate::site::Site;

async fn behind_sentinels(login: SentinelLogin) -> Site {
    let bed = Bed::builder().store(Store::sentinel(1, 3));
    Site::start(bed.sentinel_login(login)).await
}

fn client(site: &Site, login: Option<(&str, &str)>) -> Client {
    let sentinel = site.emulator.sentinel().unwrap();
    let port = |url: &String| url.rsplit_once(':').unwrap().1.parse().unwrap();
    let hosts = sentinel.sentinel_urls().iter();
    let hosts = hosts.map(|url| Server::new("127.0.0.1", port(url)));
    let config = Config {
        server: ServerConfig::Sentinel {
            hosts: hosts.collect(),
            service_name: sentinel.master_name().to_owned(),
            username: login.map(|(user, _)| user.to_owned()),
            password: login.map(|(_, password)| password.to_owned()),
        },
        ..Config::default()
    };
    site.clients_of(config).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failover_is_followed_and_renewal_goes_on() {
    let site = behind_sentinels(SentinelLogin::None).await;
    let client = client(&site, None);
    client.init().await.unwrap();
    site.settled(1).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.rotate(2).await;
    site.settled(1).await;
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);

    let sentinel = site.emulator.sentinel().unwrap();
    let old = sentinel.kill_master().await.unwrap();
    sentinel.wait_for_takeover(old).await.unwrap();
    let before = load.acknowledged();
    site.until("commands are answered", |_| load.acknowledged() > before)
        .await;
    site.settled(1).await;
    site.rotate(2).await;
    site.settled(1).await;
    drop(load.stop().await);
    assert!(client.get::<u64, _>(KEY).await.unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_have_a_password_of_their_own() {
    let site = behind_sentinels(SentinelLogin::password("watcher", "s3cret")).await;
    let client = client(&site, Some(("watcher", "s3cret")));
    client.init().await.unwrap();
    site.settled(1).await;
    site.rotate(2).await;
    site.settled(1).await;
    assert_eq!(client.incr::<u64, _>(KEY).await.unwrap(), 1);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}
