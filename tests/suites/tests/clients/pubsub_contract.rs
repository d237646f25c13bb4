//! The cases of subscribers.

use std::thread;
use std::time::Duration;

use redis_authx::{Event, Runtime};

use super::adapter::{AuthClient, AuthSyncPubSub};
use super::redis::{AsyncCommands, AsyncConnectionConfig, Msg};
use crate::site::{PATIENCE, Site};

const CHANNEL: &str = "numbers";
const ROTATIONS: usize = 3;

/// Longer than a busy machine stalls: tokens change when they are told to.
const LIFETIME: Duration = Duration::from_secs(600);

fn client<R: Runtime + Clone>(site: &Site<R>, query: &str) -> AuthClient {
    AuthClient::open(site.url(query), site.manager.credentials()).unwrap()
}

/// Publishes numbers over some rotations, each of which reaches the
/// subscriber and this one, and says how many.
async fn publish<R: Runtime + Clone>(site: &Site<R>) -> u64 {
    let patient = AsyncConnectionConfig::new()
        .set_response_timeout(Some(PATIENCE))
        .set_connection_timeout(Some(PATIENCE));
    let opened = client(site, "").manager_with_config(patient).await;
    let mut connection = opened.unwrap();
    let taken = |site: &Site<R>| {
        site.count(|event| {
            matches!(
                event,
                Event::Reauthenticated { .. } | Event::Replaced { .. }
            )
        })
    };
    let mut number = 0;
    for _ in 0..ROTATIONS {
        let (before, reached) = (site.rotations(), taken(site) + 2);
        while site.rotations() == before || taken(site) < reached {
            if site.rotations() == before {
                site.manager.refresh();
            }
            let () = connection.publish(CHANNEL, number).await.unwrap();
            number += 1;
            site.sleep(Duration::from_millis(2)).await;
        }
    }
    number
}

/// Each comes once by the channel and once by the pattern.
fn note(message: &Msg, came: &mut u64) {
    let number: u64 = message.get_payload().unwrap();
    assert_eq!(number, *came / 2);
    assert_eq!(message.from_pattern(), *came % 2 == 1);
    *came += 1;
}

async fn outlive<R: Runtime + Clone>(site: Site<R>, query: &str) {
    site.live_longer(LIFETIME).await;
    let mut messages = client(&site, query).pubsub().await.unwrap();
    messages.subscribe(CHANNEL).await.unwrap();
    messages.psubscribe("numb*").await.unwrap();
    let published = publish(&site).await;
    let mut came = 0;
    while came < 2 * published {
        note(&messages.next().await.unwrap(), &mut came);
    }
    assert_eq!(messages.gaps(), 0);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
    drop(messages);
    site.until("its socket is closed", |site| {
        site.emulator.redis().connections() == 0
    })
    .await;
}

pub(crate) async fn messages_outlive_their_tokens<R: Runtime + Clone>(site: Site<R>) {
    outlive(site, "").await;
}

pub(crate) async fn messages_outlive_their_tokens_in_resp3<R: Runtime + Clone>(site: Site<R>) {
    outlive(site, "?protocol=resp3").await;
}

/// A thread of which no runtime knows, whatever the subscriber is on.
pub(crate) async fn messages_on_a_thread_outlive_their_tokens<R: Runtime + Clone>(site: Site<R>) {
    site.live_longer(LIFETIME).await;
    let client = client(&site, "");
    let opened = thread::spawn(move || -> AuthSyncPubSub {
        let mut messages = client.sync_pubsub().unwrap();
        messages.subscribe(CHANNEL).unwrap();
        messages.psubscribe("numb*").unwrap();
        messages
    });
    site.until("it is opened", |_| opened.is_finished()).await;
    let mut messages = opened.join().unwrap();
    let published = publish(&site).await;
    let read = thread::spawn(move || {
        messages.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut came = 0;
        while came < 2 * published {
            note(&messages.get_message().unwrap(), &mut came);
        }
        messages
            .set_read_timeout(Some(Duration::from_millis(10)))
            .unwrap();
        assert!(messages.get_message().unwrap_err().is_timeout());
        assert!(messages.set_read_timeout(Some(Duration::ZERO)).is_err());
        messages.gaps()
    });
    site.until("all are read", |_| read.is_finished()).await;
    assert_eq!(read.join().unwrap(), 0);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}
