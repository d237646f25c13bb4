//! Subscribing and unsubscribing while connections are handed over.

use std::time::Duration;

use redis::{AsyncCommands, cmd};
use redis_authx::ReauthPolicy;
use redis_authx_redis::{AuthClient, AuthPubSub};
use redis_authx_suites::{Arrived, Bed, Publisher, Server, on_every_server};

use crate::support::{collect, next, next_payload, note, settled};

on_every_server!(
    a_storm_of_changes_during_rotations,
    sharded_channels_are_as_exact_as_others,
    markers_are_not_shown_to_who_subscribes_to_everything,
);

const STEADY: &str = "steady";
const END: &str = "the end";

/// What is subscribed to gets what is published after that, what is
/// unsubscribed from gets nothing more, and the others never notice.
async fn a_storm_of_changes_during_rotations(server: Server) {
    let bed = server.bed().frequent().start().await;
    let messages = bed.client.pubsub().await.unwrap();
    messages.subscribe(&[STEADY, END]).await.unwrap();
    let (sink, mut messages) = messages.split();
    let reader = tokio::spawn(async move {
        let (mut steady, mut rounds) = (Arrived::default(), Vec::new());
        while let Some(message) = messages.next().await {
            let payload: String = message.get_payload().unwrap();
            match message.get_channel_name() {
                END => break,
                STEADY => note(&mut steady, &message),
                _ => rounds.push(payload),
            }
        }
        (steady, rounds, messages)
    });
    let mut connection = bed.multiplexed().await;
    let pause = Some(Duration::from_millis(1));
    let channels = vec![STEADY.to_owned()];
    let publisher = Publisher::start(connection.clone(), channels, 1, pause, false);

    let mut expected = Vec::new();
    let mut round = 0;
    while bed.replacements() < 10 || round < 200 {
        let channel = format!("round:{}", round % 7);
        if round % 2 == 0 {
            sink.subscribe(&channel).await.unwrap();
        } else {
            sink.psubscribe(&channel).await.unwrap();
        }
        let () = connection.publish(&channel, round).await.unwrap();
        expected.push(round.to_string());
        if round % 2 == 0 {
            sink.unsubscribe(&channel).await.unwrap();
        } else {
            sink.punsubscribe(&channel).await.unwrap();
        }
        let () = connection.publish(&channel, "too late").await.unwrap();
        round += 1;
    }
    let published = publisher.stop().await;
    let () = connection.publish(END, "").await.unwrap();
    let (steady, rounds, messages) = reader.await.unwrap();
    assert_eq!(rounds, expected);
    steady.assert_all(&published, &[]);
    assert_eq!(messages.gaps(), 0);
    println!("{round} rounds, {} handovers", bed.replacements());
}

/// A subscriber that is replaced at every rotation, whatever it speaks.
async fn always_replaced(bed: &Bed) -> AuthPubSub {
    let policy = ReauthPolicy::builder().replace_after(0.0).build().unwrap();
    let url = bed.emulator.redis_url();
    let client = AuthClient::builder(url, bed.manager.credentials())
        .reauth_policy(policy)
        .build()
        .unwrap();
    client.pubsub().await.unwrap()
}

/// The first sharded channel moves the subscriber to RESP3; its other
/// subscriptions go with it. Then it is handed over like any other.
async fn sharded_channels_are_as_exact_as_others(server: Server) {
    let bed = server.bed().frequent().start().await;
    let messages = always_replaced(&bed).await;
    messages.subscribe(END).await.unwrap();
    let subscribed = messages.ssubscribe(&["{a}shard", "{b}shard"]).await;
    if !server.is_7_or_later() {
        // Redis 6 has no sharded channels, and says so.
        let told = subscribed.unwrap_err().to_string();
        assert!(told.contains("unknown command"), "{told}");
        return;
    }
    subscribed.unwrap();
    let reader = tokio::spawn(collect(messages, END));
    let mut connection = bed.multiplexed().await;
    let mut count = 0;
    while bed.replacements() < 12 || count < 2_000 {
        for channel in ["{a}shard", "{b}shard"] {
            let mut command = cmd("SPUBLISH");
            command.arg(channel).arg(count);
            command.exec_async(&mut connection).await.unwrap();
        }
        count += 1;
    }
    let () = connection.publish(END, "").await.unwrap();
    let (messages, arrived) = reader.await.unwrap();
    let published = ["{a}shard", "{b}shard"].map(|it| (it.to_owned(), count));
    arrived.assert_all(&published.into(), &[]);
    assert_eq!(messages.gaps(), 0);
    messages.sunsubscribe("{a}shard").await.unwrap();
    settled(&bed, &messages).await;
}

/// Patterns match the markers too; nobody wants to see them.
async fn markers_are_not_shown_to_who_subscribes_to_everything(server: Server) {
    let bed = server.bed().frequent().start().await;
    let mut messages = bed.client.pubsub().await.unwrap();
    messages.psubscribe("*").await.unwrap();
    bed.until("handovers", |bed| bed.replacements() >= 3).await;
    let () = bed.multiplexed().await.publish("a", "b").await.unwrap();
    let first = next(&mut messages).await;
    assert_eq!(first.get_channel_name(), "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn unsubscribing_without_a_name_ends_all_of_its_kind() {
    for resp3 in [false, true] {
        let mut bed = Bed::builder().lifetime(Duration::from_secs(60));
        if resp3 {
            bed = bed.resp3();
        }
        let bed = bed.start().await;
        let mut messages = bed.client.pubsub().await.unwrap();
        messages.subscribe(&["a", "b"]).await.unwrap();
        messages.psubscribe("a*").await.unwrap();
        messages.unsubscribe([""; 0].as_slice()).await.unwrap();
        let mut connection = bed.multiplexed().await;
        let receivers: u64 = connection.publish("b", "nobody").await.unwrap();
        assert_eq!(receivers, 0);
        let () = connection.publish("a", "by pattern").await.unwrap();
        assert_eq!(next_payload(&mut messages).await, "by pattern");
        assert_eq!(
            connection.publish::<_, _, u64>("a", "once").await.unwrap(),
            1
        );
    }
}
