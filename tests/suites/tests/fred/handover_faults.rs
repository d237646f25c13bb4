//! What goes wrong, during a subscriber's handover or otherwise.

use std::pin::pin;
use std::time::Duration;

use fred::error::ErrorKind;
use fred::interfaces::{ClientLike, PubsubInterface};
use fred::types::Builder;
use fred::types::config::Config;
use redis::{AsyncCommands, cmd};
use redis_authx::{Event, ReauthPolicy};
use redis_authx_fred::{AuthSubscriber, BuilderExt};
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Bed, PATIENCE, Publisher, Server, allow, on_every_server};
use tokio::sync::broadcast::error::RecvError;

use crate::handovers::{END, collect, connected, next, next_payload, roomy};
use crate::site::{Site, is_renewal};

on_every_server!(
    the_old_connection_goes_on_while_new_ones_are_refused,
    a_refused_token_is_tried_again,
    a_lost_connection_is_back_with_its_subscriptions_and_the_gap_is_counted,
    who_may_not_subscribe_is_told_and_nothing_else_is_mixed_up,
    a_stalled_auth_over_resp3_loses_nothing_uncounted,
);

const CHANNEL: &str = "numbered";

/// Messages are published while `fault` does its worst, and all arrive once.
async fn exact(site: &Site, fault: impl AsyncFnOnce(&Site)) {
    let subscriber = connected(site).await;
    subscriber.subscribe(vec![CHANNEL, END]).await.unwrap();
    let reader = collect(&subscriber);
    let mut connection = site.multiplexed().await;
    let pause = Some(Duration::from_millis(1));
    let channels = vec![CHANNEL.to_owned()];
    let publisher = Publisher::start(connection.clone(), channels, 1, pause, false);
    fault(site).await;
    let published = publisher.stop().await;
    let () = connection.publish(END, "").await.unwrap();
    reader.await.unwrap().assert_all(&published, &[]);
    assert_eq!(subscriber.gaps(), 0);
}

async fn the_old_connection_goes_on_while_new_ones_are_refused(server: Server) {
    let site = Site::start(server.bed().frequent()).await;
    exact(&site, async |site: &Site| {
        let failed = |event: &Event| matches!(event, Event::ReauthFailed { .. });
        site.emulator.redis().refuse_connections(true);
        site.until("handovers fail", |bed| bed.count(failed) >= 3)
            .await;
        site.emulator.redis().refuse_connections(false);
        let before = site.replacements();
        site.until("it is handed over", |bed| bed.replacements() >= before + 2)
            .await;
    })
    .await;
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

async fn a_refused_token_is_tried_again(server: Server) {
    let site = Site::start(server.bed().frequent()).await;
    exact(&site, async |site: &Site| {
        for round in 1..=3 {
            site.emulator.redis().refuse_next_auths(1);
            site.until("it was refused", |bed| {
                bed.emulator.redis().auths_refused() >= round
            })
            .await;
            let before = site.replacements();
            site.until("it is handed over", |bed| bed.replacements() > before)
                .await;
        }
    })
    .await;
}

/// The old connection works until its deadline, and what was subscribed to is
/// there again once another can be opened.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_can_not_be_handed_over_works_until_its_token_expires() {
    let site = Site::start(Bed::builder().outlived()).await;
    // The first: all others are the subscriber's.
    let mut connection = site.multiplexed().await;
    let subscriber = connected(&site).await;
    let mut messages = subscriber.message_rx();
    subscriber.subscribe(CHANNEL).await.unwrap();
    site.emulator.redis().refuse_connections(true);
    let mut number: u64 = 0;
    let expired = site.until("its token has expired", |bed| {
        let reports = bed.emulator.redis().connection_reports();
        let mut others = reports.iter().filter(|report| report.id > 1);
        others.any(|report| report.closed_by_expiry)
    });
    let mut expired = pin!(expired);
    loop {
        let () = connection.publish(CHANNEL, number).await.unwrap();
        tokio::select! {
            biased;
            payload = next_payload(&mut messages) => assert_eq!(payload, number.to_string()),
            () = &mut expired => break,
        }
        number += 1;
    }
    assert!(number > 0);
    site.emulator.redis().refuse_connections(false);
    // Waits until it is back.
    subscriber.subscribe("one more").await.unwrap();
    heard(&mut connection, &subscriber).await;
    assert_eq!(subscriber.gaps(), 1);
}

/// Publishes until a message has come by the connection in place.
async fn heard(connection: &mut AuthConnection, subscriber: &AuthSubscriber) {
    let mut messages = subscriber.message_rx();
    let spoken = async {
        loop {
            let _ = connection.publish::<_, _, ()>(CHANNEL, "heard?").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = spoken => {}
        message = next(&mut messages) => assert_eq!(message.channel, CHANNEL),
    }
}

async fn a_lost_connection_is_back_with_its_subscriptions_and_the_gap_is_counted(server: Server) {
    for resp3 in [false, true] {
        let mut site = Site::start(server.bed().lifetime(Duration::from_secs(60))).await;
        if resp3 {
            site = site.resp3();
        }
        let subscriber = connected(&site).await;
        let mut messages = subscriber.message_rx();
        subscriber.subscribe(CHANNEL).await.unwrap();
        subscriber.psubscribe("by:*").await.unwrap();
        let mut connection = site.waiting().await;
        let () = connection.publish(CHANNEL, "before").await.unwrap();
        assert_eq!(next_payload(&mut messages).await, "before");
        assert_eq!(subscriber.gaps(), 0);

        site.drop_connections().await;
        heard(&mut connection, &subscriber).await;
        assert_eq!(subscriber.gaps(), 1);
        subscriber.subscribe("one more").await.unwrap();

        site.emulator.redis().restart_server().await.unwrap();
        heard(&mut connection, &subscriber).await;
        assert_eq!(subscriber.gaps(), 2);
        let () = connection.publish("by:pattern", "all").await.unwrap();
        let () = connection.publish("one more", "of them").await.unwrap();
        let mut last = String::new();
        while last != "of them" {
            last = next_payload(&mut messages).await;
        }
    }
}

/// fred says that a subscription is there before the server was asked, and then
/// takes the refusal for the answer to something else.
async fn who_may_not_subscribe_is_told_and_nothing_else_is_mixed_up(server: Server) {
    for resp3 in [false, true] {
        let mut site = Site::start(server.bed().frequent()).await;
        if resp3 {
            site = site.resp3();
        }
        let subscriber = connected(&site).await;
        let mut messages = subscriber.message_rx();
        let mut connection = site.multiplexed().await;
        let rules = ["resetchannels", "&allowed:*", "&redis-authx:handover:*"];
        allow(&mut connection, &rules).await;
        let target = site.rotations() + 5;
        let mut round: u64 = 0;
        while site.rotations() < target || round < 20 {
            let told = subscriber.subscribe("forbidden").await.unwrap_err();
            assert!(told.details().starts_with("NOPERM"), "{told}");
            let told = subscriber.ssubscribe("forbidden").await.unwrap_err();
            // Redis 6 has no sharded channels.
            let unknown = told.details().contains("unknown command");
            let refused = told.details().starts_with("NOPERM");
            assert!(
                if server.is_7_or_later() {
                    refused
                } else {
                    unknown
                },
                "{told}"
            );
            subscriber.subscribe("allowed:a").await.unwrap();
            let () = connection.publish("allowed:a", round).await.unwrap();
            assert_eq!(next_payload(&mut messages).await, round.to_string());
            round += 1;
        }
        assert_eq!(subscriber.tracked_channels().len(), 1);
        let id = subscriber.status().unwrap().connection;
        site.until("it is renewed", |bed| bed.renewals(id) >= 3)
            .await;
        assert_eq!(subscriber.gaps(), 0);
        assert_eq!(site.emulator.redis().auths_refused(), 0);
    }
}

/// Changes of keys, which are published without `PUBLISH`, numbered by the
/// key: none is lost.
async fn none_lost(rules: &[&str]) {
    let site = Site::start(Bed::builder().frequent()).await;
    let mut connection = site.multiplexed().await;
    let mut config = cmd("CONFIG");
    config.arg("SET").arg("notify-keyspace-events").arg("K$");
    config.exec_async(&mut connection).await.unwrap();
    allow(&mut connection, rules).await;
    let subscriber = connected(&site).await;
    let mut events = subscriber.keyspace_event_rx();
    subscriber.psubscribe("__keyspace@0__:*").await.unwrap();
    let mut number: u64 = 0;
    while site.replacements() < 5 {
        let () = connection.set(number, "").await.unwrap();
        number += 1;
    }
    let mut expected = 0;
    while expected < number {
        let event = tokio::time::timeout(PATIENCE, events.recv()).await;
        let event = event.expect("an event").expect("none missed");
        let key: u64 = event.key.as_str_lossy().parse().unwrap();
        assert!(key <= expected, "{expected} is lost: {key}");
        expected = expected.max(key + 1);
    }
    assert_eq!(subscriber.gaps(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_publish_none_is_lost() {
    none_lost(&["-publish"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_the_markers_channel_none_is_lost() {
    none_lost(&["resetchannels", "&__keyspace@0__:*"]).await;
}

/// Its AUTH and all that is sent after that get no answer, while messages still
/// come. It is replaced without its consent: only what is on its way just
/// then can be lost, and that is counted.
async fn a_stalled_auth_over_resp3_loses_nothing_uncounted(server: Server) {
    // Three seconds after the rotation: its token lives far longer. Another shows
    // the token, half of the window before.
    let policy = ReauthPolicy::builder().stagger(0.02).replace_after(0.05);
    let bed = server.bed().lifetime(Duration::from_secs(60));
    let site = Site::start(bed).await.renewed_by(policy).resp3();
    let other = site.clients().build().unwrap();
    other.init().await.unwrap();
    site.settled(1).await;
    let subscriber = connected(&site).await;
    let mut messages = subscriber.message_rx();
    subscriber.subscribe(vec![CHANNEL, END]).await.unwrap();
    // Sends no AUTH that the delay could be spent on.
    let publisher = site.with_a_password(site.config()).await;
    site.settled(2).await;
    site.turn().await;
    site.until("the other has sent it", |bed| bed.count(is_renewal) == 1)
        .await;
    site.emulator.redis().delay_next_auths(1, 2 * PATIENCE);
    let mut number: u64 = 0;
    while site.replacements() < 1 {
        let number_now = number.to_string();
        () = PubsubInterface::publish(&publisher, CHANNEL, number_now)
            .await
            .unwrap();
        number += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let last = number.to_string();
    () = PubsubInterface::publish(&publisher, END, last)
        .await
        .unwrap();
    let mut expected = 0;
    let mut jumps = 0;
    loop {
        let message = next(&mut messages).await;
        let came: u64 = message.value.convert().unwrap();
        jumps += u64::from(came > expected);
        if message.channel == END {
            break;
        }
        expected = expected.max(came + 1);
    }
    assert!(jumps <= subscriber.gaps(), "{jumps} gaps");
    assert_eq!(subscriber.gaps(), 1, "nobody knows what the old one missed");
    site.settled(2).await;
}

/// Whether it is quit or dropped.
#[tokio::test(flavor = "multi_thread")]
async fn its_end_closes_its_connection_and_its_receivers_and_ends_its_care() {
    for quits in [false, true] {
        for resp3 in [false, true] {
            let mut site = Site::start(Bed::builder()).await;
            if resp3 {
                site = site.resp3();
            }
            let subscriber = connected(&site).await;
            let mut messages = subscriber.message_rx();
            subscriber.subscribe(CHANNEL).await.unwrap();
            assert_eq!(site.manager.status().connections, 1);
            assert_eq!(site.renewal.connections().len(), 1);
            site.rotate(1).await;
            site.settled(1).await;
            if quits {
                let other = subscriber.clone();
                subscriber.quit().await;
                let told = other.subscribe(CHANNEL).await.unwrap_err();
                assert_eq!(told.kind(), &ErrorKind::Canceled, "{told}");
                assert!(other.status().is_none());
                assert!(other.message_rx().recv().await.is_err());
            } else {
                drop(subscriber);
            }
            let end = tokio::time::timeout(PATIENCE, messages.recv()).await;
            assert!(matches!(end.unwrap(), Err(RecvError::Closed)));
            site.until("the socket is closed", |bed| {
                bed.emulator.redis().connections() == 0
            })
            .await;
            assert_eq!(site.manager.status().connections, 0);
            assert!(site.renewal.connections().is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn receivers_end_when_the_manager_has_stopped_and_the_token_expired() {
    let site = Site::start(Bed::builder()).await;
    let subscriber = connected(&site).await;
    let mut messages = subscriber.message_rx();
    subscriber.subscribe(CHANNEL).await.unwrap();
    let mut connection = site.multiplexed().await;
    site.manager.stop();
    let () = connection.publish(CHANNEL, "last").await.unwrap();
    assert_eq!(next_payload(&mut messages).await, "last");
    let end = tokio::time::timeout(PATIENCE, messages.recv()).await;
    assert!(matches!(end.expect("the end"), Err(RecvError::Closed)));
    site.until("the server has hung up", |bed| {
        bed.emulator.redis().closed_by_expiry() >= 1
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_init_there_is_nothing_and_a_failed_one_may_be_called_again() {
    let site = Site::start(Bed::builder()).await;
    let subscriber = roomy(&site).build_subscriber().unwrap();
    assert!(subscriber.subscribe(CHANNEL).await.is_err());
    assert!(subscriber.status().is_none());
    site.emulator.redis().refuse_connections(true);
    subscriber.init().await.unwrap_err();
    site.emulator.redis().refuse_connections(false);
    subscriber.init().await.unwrap();
    subscriber.init().await.unwrap();
    site.settled(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_can_not_serve_is_refused_when_it_is_built() {
    let site = Site::start(Bed::builder()).await;
    for (url, word) in [
        ("redis-cluster://127.0.0.1:7000", "cluster"),
        ("redis://cache.example:6379", "allow_plaintext"),
        ("rediss://user:hunter2@cache.example", "without them"),
    ] {
        let builder = Builder::from_config(Config::from_url(url).unwrap());
        let builder = builder.renewal(&site.renewal);
        let told = builder.build_subscriber().unwrap_err();
        assert_eq!(told.kind(), &ErrorKind::Config, "{told}");
        assert!(told.details().contains(word), "{told}");
        assert!(!told.details().contains("hunter2"), "{told}");
    }
}
