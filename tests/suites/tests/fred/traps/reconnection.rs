//! Trap 6: what `force_reconnection()` costs.

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::ConnectionConfig;
use fred::types::{Builder, ClientState};
use redis_authx_fred::BuilderExt;
use redis_authx_suites::{Bed, KEY};

use crate::load::Load;
use crate::site::{Site, at_once};

/// What was under way is sent again, whether or not it has been executed.
#[tokio::test(flavor = "multi_thread")]
async fn it_has_commands_executed_twice() {
    let site = Site::start(Bed::builder().calm()).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    // None may be given up for want of attempts.
    let tireless = ConnectionConfig {
        max_command_attempts: 1000,
        ..ConnectionConfig::default()
    };
    let client = Client::new(config, None, Some(tireless), Some(at_once()));
    client.init().await.unwrap();
    let mut counted = 0;
    for round in 0.. {
        assert!(round < 100, "none was executed twice");
        let load = Load::start(&client, 50, Load::one_key);
        for _ in 0..8 {
            let before = load.acknowledged();
            site.until("commands are answered", |_| load.acknowledged() > before)
                .await;
            client.force_reconnection().await.unwrap();
        }
        let seen = load.stop().await;
        assert_eq!(seen.errors, [""; 0]);
        counted += seen.acknowledged;
        if client.get::<u64, _>(KEY).await.unwrap() > counted {
            return;
        }
    }
}

/// Without a reconnect policy it ends the client, which says that it is
/// connected.
#[tokio::test(flavor = "multi_thread")]
async fn it_ends_a_client_without_a_policy() {
    let site = Site::start(Bed::builder().calm()).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let client = Client::new(config, None, None, None);
    let task = client.init().await.unwrap();
    assert!(client.force_reconnection().await.is_err());
    let _ = task.await.unwrap();
    // And a command would wait for ever.
    assert_eq!(client.state(), ClientState::Connected);
}

/// Not so by default: `crate::faults::auth_refused_once_is_not_noticed`.
#[tokio::test(flavor = "multi_thread")]
async fn a_setting_has_it_done_for_one_refused_auth() {
    let site = Site::start(Bed::builder().calm()).await;
    let mut builder = Builder::from_config(site.config());
    builder.set_policy(at_once());
    builder.with_connection_config(|config| config.reconnect_on_auth_error = true);
    let client = builder.renewal(&site.renewal).build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    site.emulator.redis().refuse_next_auths(1);
    site.turn().await;
    site.until("it has reconnected", |bed| {
        bed.emulator.redis().connections_accepted() == 2
    })
    .await;
    site.settled(1).await;
    assert_eq!(site.replacements(), 0, "by us");
}

/// Ours is not ended for want of an AUTH: it is tried until the token expires.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_a_policy_is_not_ended_by_us() {
    let site = Site::start(Bed::builder().calm()).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let client = Client::new(config, None, None, None);
    site.renewal.attach(&client).unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    site.emulator.redis().refuse_next_auths(3);
    site.rotate(1).await;
    site.settled(1).await;
    assert_eq!(client.incr::<u64, _>(KEY).await.unwrap(), 1);
    // Each refusal is that of a connection that shows the token.
    site.opened(1 + 3).await;
}
