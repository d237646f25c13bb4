//! What goes wrong, during a handover or otherwise.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client, IntoConnectionInfo, cmd};
use redis_authx::{Event, ReauthPolicy};
use redis_authx_redis::{AuthClient, AuthConnection, AuthPubSub};
use redis_authx_suites::{Bed, Publisher, Server, allow, on_every_server, patient};

use crate::support::{collect, next, next_payload, settled};

on_every_server!(
    the_old_connection_goes_on_while_new_ones_are_refused,
    a_refused_token_is_tried_again,
    a_lost_connection_is_back_with_its_subscriptions_and_the_gap_is_counted,
    a_stalled_auth_over_resp3_loses_nothing_uncounted,
);

const CHANNEL: &str = "numbered";
const END: &str = "the end";

/// Messages are published while `fault` does its worst, and all arrive once.
async fn exact(bed: &Bed, fault: impl AsyncFnOnce(&Bed)) {
    let messages = bed.client.pubsub().await.unwrap();
    messages.subscribe(&[CHANNEL, END]).await.unwrap();
    let reader = tokio::spawn(collect(messages, END));
    let mut connection = bed.multiplexed().await;
    let pause = Some(Duration::from_millis(1));
    let channels = vec![CHANNEL.to_owned()];
    let publisher = Publisher::start(connection.clone(), channels, 1, pause, false);
    fault(bed).await;
    let published = publisher.stop().await;
    let () = connection.publish(END, "").await.unwrap();
    let (messages, arrived) = reader.await.unwrap();
    arrived.assert_all(&published, &[]);
    assert_eq!(messages.gaps(), 0);
}

fn failures(bed: &Bed) -> usize {
    bed.count(|event| matches!(event, Event::ReauthFailed { .. }))
}

async fn the_old_connection_goes_on_while_new_ones_are_refused(server: Server) {
    let bed = server.bed().frequent().start().await;
    exact(&bed, async |bed: &Bed| {
        bed.emulator.redis().refuse_connections(true);
        bed.until("handovers fail", |bed| failures(bed) >= 3).await;
        bed.emulator.redis().refuse_connections(false);
        let before = bed.replacements();
        bed.until("it is handed over", |bed| bed.replacements() >= before + 2)
            .await;
    })
    .await;
}

async fn a_refused_token_is_tried_again(server: Server) {
    let bed = server.bed().frequent().start().await;
    exact(&bed, async |bed: &Bed| {
        for round in 1..=3 {
            bed.emulator.redis().refuse_next_auths(1);
            bed.until("it was refused", |bed| {
                bed.emulator.redis().auths_refused() >= round
            })
            .await;
            let before = bed.replacements();
            bed.until("it is handed over", |bed| bed.replacements() > before)
                .await;
        }
    })
    .await;
}

/// The application may do something else for as long as it likes.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_is_handed_over_all_the_same() {
    let bed = Bed::builder().frequent().start().await;
    let mut messages = bed.client.pubsub().await.unwrap();
    messages.subscribe(CHANNEL).await.unwrap();
    let mut connection = bed.multiplexed().await;
    for number in 0..20 {
        let before = bed.replacements();
        let () = connection.publish(CHANNEL, number).await.unwrap();
        bed.until("it is handed over", |bed| bed.replacements() > before)
            .await;
    }
    for number in 0..20 {
        assert_eq!(next_payload(&mut messages).await, number.to_string());
    }
    assert_eq!(messages.gaps(), 0);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

/// Publishes until a message has come by the connection in place.
async fn heard(connection: &mut AuthConnection, messages: &mut AuthPubSub) {
    let spoken = async {
        loop {
            let _ = connection.publish::<_, _, ()>(CHANNEL, "heard?").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = spoken => {}
        message = next(messages) => assert_eq!(message.get_channel_name(), CHANNEL),
    }
}

async fn a_lost_connection_is_back_with_its_subscriptions_and_the_gap_is_counted(server: Server) {
    for resp3 in [false, true] {
        let mut bed = server.bed().lifetime(Duration::from_secs(60));
        if resp3 {
            bed = bed.resp3();
        }
        let bed = bed.start().await;
        let mut messages = bed.client.pubsub().await.unwrap();
        messages.subscribe(CHANNEL).await.unwrap();
        messages.psubscribe("by:*").await.unwrap();
        let mut connection = bed.waiting().await;
        let () = connection.publish(CHANNEL, "before").await.unwrap();
        assert_eq!(next_payload(&mut messages).await, "before");
        assert_eq!(messages.gaps(), 0);

        bed.drop_connections().await;
        // Waits until it is back.
        messages.subscribe("one more").await.unwrap();
        heard(&mut connection, &mut messages).await;
        assert_eq!(messages.gaps(), 1);

        bed.emulator.redis().restart_server().await.unwrap();
        heard(&mut connection, &mut messages).await;
        assert_eq!(messages.gaps(), 2);
        let () = connection.publish("by:pattern", "all").await.unwrap();
        let () = connection.publish("one more", "of them").await.unwrap();
        let mut last = String::new();
        while last != "of them" {
            last = next_payload(&mut messages).await;
        }
    }
}

/// Changes of keys, which are published without `PUBLISH`, numbered by the
/// key: none is lost.
async fn none_lost(rules: &[&str]) {
    let bed = Bed::builder().frequent().start().await;
    let mut connection = bed.multiplexed().await;
    let mut config = cmd("CONFIG");
    config.arg("SET").arg("notify-keyspace-events").arg("K$");
    config.exec_async(&mut connection).await.unwrap();
    allow(&mut connection, rules).await;
    let mut messages = bed.client.pubsub().await.unwrap();
    messages.psubscribe("__keyspace@0__:*").await.unwrap();
    let mut number: u64 = 0;
    while bed.replacements() < 5 {
        let () = connection.set(number, "").await.unwrap();
        number += 1;
    }
    let mut expected = 0;
    while expected < number {
        let message = next(&mut messages).await;
        let name = message.get_channel_name();
        let key: u64 = name.rsplit(':').next().unwrap().parse().unwrap();
        assert!(key <= expected, "{expected} is lost: {key}");
        expected = expected.max(key + 1);
    }
    assert_eq!(messages.gaps(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_publish_none_is_lost() {
    none_lost(&["-publish"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_to_the_markers_channel_none_is_lost() {
    none_lost(&["resetchannels", "&__keyspace@0__:*"]).await;
}

/// The first AUTH of a subscriber and all that it sends after that get no
/// answer, while messages still come. It is replaced without its consent: only
/// what is on its way just then can be lost, and that is counted where it was.
async fn stalled(bed: &Bed, mut messages: AuthPubSub, mut connection: impl AsyncCommands) {
    messages.subscribe(&[CHANNEL, END]).await.unwrap();
    bed.emulator
        .redis()
        .delay_next_reauths(1, 2 * redis_authx_suites::PATIENCE);
    let mut number: u64 = 0;
    while bed.replacements() < 1 {
        let () = connection.publish(CHANNEL, number).await.unwrap();
        number += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let () = connection.publish(END, number).await.unwrap();
    let mut expected = 0;
    loop {
        let gaps = messages.gaps();
        let message = next(&mut messages).await;
        let came: u64 = message.get_payload().unwrap();
        if messages.gaps() == gaps {
            assert!(came <= expected, "{expected} is lost: {came}");
        }
        if message.get_channel_name() == END {
            break;
        }
        expected = expected.max(came + 1);
    }
    assert_eq!(messages.gaps(), 1, "nobody knows what the old one missed");
    settled(bed, &messages).await;
}

async fn a_stalled_auth_over_resp3_loses_nothing_uncounted(server: Server) {
    let bed = server.bed().resp3().start().await;
    let messages = bed.client.pubsub().await.unwrap();
    // The next AUTH is the subscriber's: this one sends none.
    let publisher = never_renewed(&bed).await;
    stalled(&bed, messages, publisher).await;
}

/// With a token that outlives the test.
async fn never_renewed(bed: &Bed) -> MultiplexedConnection {
    let token = bed.emulator.issue_token(Duration::from_secs(3600));
    let info = bed.emulator.redis_url().into_connection_info().unwrap();
    let settings = info.redis_settings().clone();
    let settings = settings.set_username(bed.emulator.object_id());
    let settings = settings.set_password(token);
    let client = Client::open(info.set_redis_settings(settings)).unwrap();
    let config = patient();
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    opened.await.unwrap()
}

/// As one that is cut off without a word, long before its token expires.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_never_answers_is_replaced_without_its_consent() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .ratio(0.002)
        .start()
        .await;
    let policy = ReauthPolicy::builder()
        .replace_after(0.001)
        .replace_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    let url = format!(
        "{}/?protocol=resp3",
        bed.emulator.redis_url().trim_end_matches('/')
    );
    let client = AuthClient::builder(url, bed.manager.credentials())
        .reauth_policy(policy)
        .build()
        .unwrap();
    let messages = client.pubsub().await.unwrap();
    let publisher = never_renewed(&bed).await;
    stalled(&bed, messages, publisher).await;
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_it_closes_its_connection_and_ends_its_care() {
    for resp3 in [false, true] {
        let mut bed = Bed::builder();
        if resp3 {
            bed = bed.resp3();
        }
        let bed = bed.start().await;
        let messages = bed.client.pubsub().await.unwrap();
        messages.subscribe(CHANNEL).await.unwrap();
        assert_eq!(bed.manager.status().connections, 1);
        bed.rotate(1).await;
        let (sink, messages) = messages.split();
        drop(messages);
        bed.until("the socket is closed", |bed| {
            bed.emulator.redis().connections() == 0
        })
        .await;
        assert_eq!(bed.manager.status().connections, 0);
        let told = sink.subscribe(CHANNEL).await.unwrap_err();
        assert!(told.is_connection_dropped(), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_end_when_the_manager_has_stopped_and_the_token_expired() {
    for resp3 in [false, true] {
        let mut bed = Bed::builder();
        if resp3 {
            bed = bed.resp3();
        }
        let bed = bed.start().await;
        let mut messages = bed.client.pubsub().await.unwrap();
        messages.subscribe(CHANNEL).await.unwrap();
        let mut connection = bed.multiplexed().await;
        bed.manager.stop();
        let () = connection.publish(CHANNEL, "last").await.unwrap();
        assert_eq!(next_payload(&mut messages).await, "last");
        let end = tokio::time::timeout(redis_authx_suites::PATIENCE, messages.next());
        assert!(end.await.expect("the end").is_none());
        bed.until("it is counted", |bed| {
            bed.emulator.redis().closed_by_expiry() >= 1
        })
        .await;
    }
}

/// Neither tokens nor what it is subscribed to.
#[tokio::test(flavor = "multi_thread")]
async fn it_shows_no_secrets() {
    let bed = Bed::builder().start().await;
    let messages = bed.client.pubsub().await.unwrap();
    messages.subscribe("layoffs").await.unwrap();
    let token = bed.manager.credentials().current().unwrap();
    let shown = format!("{messages:?}");
    assert!(shown.starts_with("AuthPubSub"), "{shown}");
    assert!(!shown.contains(token.password()), "{shown}");
    assert!(!shown.contains("layoffs"), "{shown}");
}
