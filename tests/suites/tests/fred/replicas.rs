//! Reads from the replicas of a cluster. fred lets nobody re-authenticate their
//! connections: they end with their tokens, and are opened anew.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::Builder;
use redis_authx_fred::BuilderExt;

use crate::cluster::{cluster, config, many_keys};
use crate::load::Load;
use crate::site::{Site, at_once};

const TASKS: usize = 12;

async fn reading(site: &Site) -> Client {
    let mut builder = Builder::from_config(config(site));
    builder.set_policy(at_once());
    let client = builder.renewal(&site.renewal).build().unwrap();
    client.init().await.unwrap();
    site.settled(3).await;
    for task in 0..TASKS {
        () = client
            .set(many_keys(task), task as u64, None, None, false)
            .await
            .unwrap();
    }
    client
}

/// How many connections that read from replicas have ended by expiry.
fn expired(site: &Site) -> usize {
    let reports = site.emulator.redis().connection_reports();
    let expired = reports
        .iter()
        .filter(|report| report.node >= 3 && report.closed_by_expiry);
    expired.count()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_fails_when_their_connections_expire() {
    let site = cluster(Duration::from_secs(4)).await;
    let client = reading(&site).await;
    let load = Load::of(TASKS, |task| {
        let replicas = client.replicas();
        move || {
            let replicas = replicas.clone();
            async move {
                let read: Option<u64> = replicas.get(many_keys(task)).await?;
                assert!(read.is_none_or(|read| read == task as u64), "{read:?}");
                Ok(())
            }
        }
    });
    site.until("those to the replicas have expired twice", |_| {
        expired(&site) >= 6
    })
    .await;
    let before = load.acknowledged();
    site.until("they are read from", |_| load.acknowledged() > before + 200)
        .await;
    site.settled(3).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
}
