//! A master with a replica, behind sentinels.

use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::{Config, Server, ServerConfig};
use redis_authx::ReauthPolicy;
use redis_authx_emulator::{SentinelAuth, Store};
use redis_authx_suites::{Bed, KEY};

use crate::load::Load;
use crate::site::Site;

pub(crate) async fn behind_sentinels(login: SentinelAuth) -> Site {
    let bed = Bed::builder().store(Store::sentinel(1, 3)).calm();
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
    let site = behind_sentinels(SentinelAuth::password("watcher", "s3cret")).await;
    let config = config(&site, Some(("watcher", "s3cret")));
    let client = site.clients_of(config).build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    site.rotate(2).await;
    site.settled(1).await;
    assert_eq!(client.incr::<u64, _>(KEY).await.unwrap(), 1);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

/// The connection that shows whether the token is taken, and the next one, are
/// found by asking the sentinels anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_auth_leads_to_a_new_connection() {
    let bed = Bed::builder().store(Store::sentinel(1, 3)).brisk();
    let login = SentinelAuth::password("watcher", "s3cret");
    let site = Site::start(bed.sentinel_login(login)).await;
    let policy = ReauthPolicy::builder().stagger(0.0).replace_after(0.000_25);
    let site = site.renewed_by(policy);
    let config = config(&site, Some(("watcher", "s3cret")));
    let client = site.clients_of(config).build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.replace().await;
    site.settled(1).await;
    let before = load.acknowledged();
    site.until("commands are answered", |_| load.acknowledged() > before)
        .await;
    assert_eq!(load.stop().await.errors, [""; 0]);
}
