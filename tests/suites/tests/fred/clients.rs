//! How clients are made, attached and let go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fred::clients::Client;
use fred::error::ErrorKind;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::Builder;
use fred::types::config::{Config, Server};
use redis_authx::{Event, TokenManager};
use redis_authx_fred::BuilderExt;
use redis_authx_suites::{Bed, KEY, prompt};
use redis_authx_tokio::Tokio;

use crate::site::{Site, at_once};

/// The README's three lines.
#[tokio::test(flavor = "multi_thread")]
async fn a_builder_needs_one_more_call() {
    let site = Site::start(Bed::builder()).await;
    let pool = Builder::from_config(site.config())
        .credentials(site.manager.credentials())
        .build_pool(2)
        .unwrap();
    pool.init().await.unwrap();
    assert!(pool.next().has_reconnect_policy());
    site.rotate(4).await;
    () = pool.set(KEY, 7, None, None, false).await.unwrap();
    assert_eq!(site.manager.status().connections, 2);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_an_existing_program_are_attached_before_or_after_they_connect() {
    let site = Site::start(Bed::builder().outlived()).await;
    let site = site.renewed_by(prompt());
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let [before, after] =
        [(); 2].map(|()| Client::new(config.clone(), None, None, Some(at_once())));
    site.renewal.attach(&before).unwrap();
    before.init().await.unwrap();
    after.init().await.unwrap();
    site.renewal.attach(&after).unwrap();
    site.settled(2).await;
    site.rotate(6).await;
    site.settled(2).await;
    // What they logged in with is not known: the first token is shown as well.
    site.opened(2 + 1).await;
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_was_quit_is_let_go() {
    let site = Site::start(Bed::builder()).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    client.quit().await.unwrap();
    site.until("it is let go", |bed| {
        bed.manager.status().connections == 0 && bed.emulator.redis().connections() == 0
    })
    .await;
    assert!(site.renewal.connections().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_connected_again_is_renewed_again() {
    let site = Site::start(Bed::builder()).await;
    let client = site.clients().build().unwrap();
    for _ in 0..3 {
        let task = client.init().await.unwrap();
        site.settled(1).await;
        site.rotate(1).await;
        site.settled(1).await;
        () = client.set(KEY, 7, None, None, false).await.unwrap();
        client.quit().await.unwrap();
        task.await.unwrap().unwrap();
        site.until("it is let go", |bed| bed.manager.status().connections == 0)
            .await;
    }
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

/// Nothing of a client outlives it: not even what keeps the manager going.
#[tokio::test(flavor = "multi_thread")]
async fn the_manager_ends_with_the_last_client() {
    let site = Site::start(Bed::builder()).await;
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let manager = TokenManager::builder(site.emulator.client_secret_identity().unwrap())
        .observer(move |event: &Event| {
            if matches!(event, Event::Stopped) {
                flag.store(true, Ordering::SeqCst);
            }
        })
        .spawn(Tokio)
        .unwrap();
    let build = || Builder::from_config(site.config()).credentials(manager.credentials());
    let (client, never_connected) = (build().build().unwrap(), build().build().unwrap());
    drop((manager, never_connected));
    let task = client.init().await.unwrap();
    assert!(!ended.load(Ordering::SeqCst));
    client.quit().await.unwrap();
    task.await.unwrap().unwrap();
    drop(client);
    site.until("the manager has ended", |_| ended.load(Ordering::SeqCst))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_give_a_token_away_are_refused() {
    let site = Site::start(Bed::builder()).await;
    for url in [
        "redis://cache.example",
        "rediss://app:hunter2@cache.example",
    ] {
        let builder = site.clients_of(Config::from_url(url).unwrap());
        let error = builder.build().unwrap_err();
        assert_eq!(*error.kind(), ErrorKind::Config, "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(builder.build_pool(2).is_err());
        assert!(builder.build_exclusive_pool(2).is_err());
    }
    let tls = Config::from_url("rediss://cache.example:10000").unwrap();
    assert!(site.clients_of(tls).build().is_ok());
}

/// A cluster may name nodes that the configuration doesn't.
#[tokio::test(flavor = "multi_thread")]
async fn no_node_gets_a_token_in_clear_text() {
    let site = Site::start(Bed::builder().calm()).await;
    let mut config = site.config();
    site.renewal.provide(&mut config).unwrap();
    let provider = config.credential_provider.unwrap();
    let elsewhere = Server::new("10.0.0.1", 7000);
    let error = provider.fetch(Some(&elsewhere)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Auth, "{error}");
    assert!(error.details().contains("clear text"), "{error}");
    let here = Server::new("127.0.0.2", 7000);
    assert!(provider.fetch(Some(&here)).await.unwrap().1.is_some());
}
