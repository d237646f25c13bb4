//! A subscriber over its rotations: no message lost, none doubled, each channel in
//! order; over RESP2 by handovers, over RESP3 in place.

use std::time::Duration;

use fred::types::config::ReconnectPolicy;
use fred::types::{Builder, Message, MessageKind};
use redis::AsyncCommands;
use redis_authx::ReauthPolicy;
use redis_authx_fred::{AuthBuilder, AuthSubscriber, BuilderExt, Renewal};
use redis_authx_suites::{
    Arrived, Bed, PATIENCE, PATTERNS, Publisher, Server, channels, on_every_server,
};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::task::JoinHandle;

use crate::site::Site;

on_every_server!(
    identical_payloads_at_full_speed,
    a_storm_of_changes_during_rotations,
    sharded_channels_and_changes_of_keys_are_as_exact,
    markers_are_not_shown_to_who_subscribes_to_everything,
);

pub(crate) const END: &str = "the end";

/// One whose receivers hold whatever a busy machine has them miss.
pub(crate) fn roomy(site: &Site) -> AuthBuilder {
    let mut builder = Builder::from_config(site.config());
    builder.set_policy(ReconnectPolicy::default());
    builder.with_performance_config(|config| config.broadcast_channel_capacity = 1 << 17);
    builder.renewal(&site.renewal)
}

/// A subscriber that is connected.
pub(crate) async fn connected(site: &Site) -> AuthSubscriber {
    let subscriber = roomy(site).build_subscriber().unwrap();
    subscriber.init().await.unwrap();
    subscriber
}

pub(crate) async fn next(messages: &mut Receiver<Message>) -> Message {
    let message = tokio::time::timeout(PATIENCE, messages.recv()).await;
    message.expect("a message").expect("none missed")
}

pub(crate) async fn next_payload(messages: &mut Receiver<Message>) -> String {
    next(messages).await.value.convert().unwrap()
}

pub(crate) fn note(arrived: &mut Arrived, message: &Message) {
    let payload: String = message.value.clone().convert().unwrap();
    match message.kind {
        MessageKind::PMessage => arrived.note_by_some(&PATTERNS, &message.channel, &payload),
        _ => arrived.note(None, &message.channel, &payload),
    }
}

/// Reads until a last one that only comes after all others.
pub(crate) fn collect(subscriber: &AuthSubscriber) -> JoinHandle<Arrived> {
    let mut messages = subscriber.message_rx();
    tokio::spawn(async move {
        let mut arrived = Arrived::default();
        loop {
            let message = next(&mut messages).await;
            if message.channel == END {
                return arrived;
            }
            note(&mut arrived, &message);
        }
    })
}

/// What is published, and how.
struct Run {
    /// At least as many rotations.
    rotations: usize,
    /// At least as many messages.
    messages: u64,
    pause: Option<Duration>,
    same: bool,
}

impl Run {
    async fn on(self, site: &Site) {
        let subscriber = connected(site).await;
        subscriber.subscribe(channels()).await.unwrap();
        let patterns = PATTERNS.map(|(pattern, _)| pattern);
        subscriber.psubscribe(patterns.to_vec()).await.unwrap();
        subscriber.subscribe(END).await.unwrap();
        let reader = collect(&subscriber);
        let id = subscriber.status().unwrap().connection;
        let mut connection = site.multiplexed().await;
        let publisher = Publisher::start(
            connection.clone(),
            channels(),
            self.messages,
            self.pause,
            self.same,
        );
        for target in 1..=self.rotations {
            site.until("one more rotation", |bed| bed.renewals(id) >= target)
                .await;
        }
        let published = publisher.stop().await;
        let () = connection.publish(END, "").await.unwrap();
        let arrived = reader.await.unwrap();
        arrived.assert_all_by_some(&published, &PATTERNS);
        assert_eq!(subscriber.gaps(), 0);
        assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
        println!(
            "{} renewals, {} of them handovers; {} published, {} arrived",
            site.renewals(id),
            site.count(crate::site::is_replacement),
            published.values().sum::<u64>(),
            arrived.total()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn resp2_hundred_thousand_messages_over_fifty_rotations() {
    let site = Site::start(Bed::builder().frequent()).await;
    let run = Run {
        rotations: 50,
        messages: 100_000,
        pause: Some(Duration::from_millis(1)),
        same: false,
    };
    run.on(&site).await;
    assert!(site.replacements() >= 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn resp3_hundred_thousand_messages_over_fifty_rotations() {
    let site = Site::start(Bed::builder().frequent()).await.resp3();
    let run = Run {
        rotations: 50,
        messages: 100_000,
        pause: Some(Duration::from_millis(1)),
        same: false,
    };
    run.on(&site).await;
    assert_eq!(site.replacements(), 0, "re-authenticated in place");
}

/// Nothing but their number tells whether one came twice.
async fn identical_payloads_at_full_speed(server: Server) {
    let site = Site::start(server.bed().frequent()).await;
    let run = Run {
        rotations: 8,
        messages: 1,
        pause: None,
        same: true,
    };
    run.on(&site).await;
    assert!(site.replacements() >= 8);
}

/// What is subscribed to gets what is published after that, what is
/// unsubscribed from gets nothing more, and the others never notice.
async fn a_storm_of_changes_during_rotations(server: Server) {
    const STEADY: &str = "steady";
    let site = Site::start(server.bed().frequent()).await;
    let subscriber = connected(&site).await;
    subscriber.subscribe(vec![STEADY, END]).await.unwrap();
    let mut messages = subscriber.message_rx();
    let reader = tokio::spawn(async move {
        let (mut steady, mut rounds) = (Arrived::default(), Vec::new());
        loop {
            let message = next(&mut messages).await;
            match &*message.channel {
                END => return (steady, rounds),
                STEADY => note(&mut steady, &message),
                _ => rounds.push(message.value.convert::<String>().unwrap()),
            }
        }
    });
    let mut connection = site.multiplexed().await;
    let pause = Some(Duration::from_millis(1));
    let channels = vec![STEADY.to_owned()];
    let publisher = Publisher::start(connection.clone(), channels, 1, pause, false);

    let mut expected = Vec::new();
    let mut round = 0;
    while site.replacements() < 10 || round < 200 {
        let channel = format!("round:{}", round % 7);
        let by_name = round % 2 == 0;
        if by_name {
            subscriber.subscribe(&*channel).await.unwrap();
            assert!(subscriber.tracked_channels().contains(&*channel));
        } else {
            subscriber.psubscribe(&*channel).await.unwrap();
            assert!(subscriber.tracked_patterns().contains(&*channel));
        }
        let () = connection.publish(&channel, round).await.unwrap();
        expected.push(round.to_string());
        if by_name {
            subscriber.unsubscribe(&*channel).await.unwrap();
        } else {
            subscriber.punsubscribe(&*channel).await.unwrap();
        }
        let () = connection.publish(&channel, "too late").await.unwrap();
        round += 1;
    }
    let published = publisher.stop().await;
    let () = connection.publish(END, "").await.unwrap();
    let (steady, rounds) = reader.await.unwrap();
    assert_eq!(rounds, expected);
    steady.assert_all(&published, &[]);
    assert_eq!(subscriber.gaps(), 0);
    println!("{round} rounds, {} handovers", site.replacements());
}

/// Sharded channels and changes of keys, over RESP2 and RESP3: with handovers in
/// both.
async fn sharded_channels_and_changes_of_keys_are_as_exact(server: Server) {
    // Redis 6 has no sharded channels: it has changes of keys alone.
    let shards = if server.is_7_or_later() {
        vec!["{a}shard", "{b}shard"]
    } else {
        vec![]
    };
    for resp3 in [false, true] {
        let mut site = Site::start(server.bed().frequent()).await;
        let policy = ReauthPolicy::builder().replace_after(0.0).build().unwrap();
        let renewal = Renewal::builder(site.manager.credentials()).reauth_policy(policy);
        site.renewal = renewal.build().unwrap();
        if resp3 {
            site = site.resp3();
        }
        let mut connection = site.multiplexed().await;
        let mut config = redis::cmd("CONFIG");
        config.arg("SET").arg("notify-keyspace-events").arg("K$");
        config.exec_async(&mut connection).await.unwrap();

        let subscriber = connected(&site).await;
        let (mut messages, mut events) = (subscriber.message_rx(), subscriber.keyspace_event_rx());
        if !shards.is_empty() {
            subscriber.ssubscribe(shards.clone()).await.unwrap();
        }
        subscriber.psubscribe("__keyspace@0__:*").await.unwrap();
        let mut number: u64 = 0;
        while site.replacements() < 6 || number < 500 {
            for channel in &shards {
                let mut command = redis::cmd("SPUBLISH");
                command.arg(*channel).arg(number);
                command.exec_async(&mut connection).await.unwrap();
            }
            let () = connection.set(number, "").await.unwrap();
            number += 1;
        }
        for expected in 0..number {
            for channel in &shards {
                let message = next(&mut messages).await;
                assert_eq!(message.channel, *channel);
                assert_eq!(message.kind, MessageKind::SMessage);
                assert_eq!(message.value.convert::<u64>().unwrap(), expected);
            }
            let event = tokio::time::timeout(PATIENCE, events.recv()).await;
            let event = event.expect("an event").expect("none missed");
            assert_eq!(event.key.as_str_lossy(), expected.to_string());
            assert_eq!(event.operation, "set");
        }
        assert_eq!(messages.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(subscriber.gaps(), 0);
        subscriber.unsubscribe_all().await.unwrap();
        assert_eq!(
            connection
                .publish::<_, _, u64>("{a}shard", 1)
                .await
                .unwrap(),
            0
        );
        assert!(subscriber.tracked_shard_channels().is_empty());
    }
}

/// Patterns match the markers too; nobody wants to see them.
async fn markers_are_not_shown_to_who_subscribes_to_everything(server: Server) {
    let site = Site::start(server.bed().frequent()).await;
    let subscriber = connected(&site).await;
    let mut messages = subscriber.message_rx();
    subscriber.psubscribe("*").await.unwrap();
    site.until("handovers", |bed| bed.replacements() >= 3).await;
    let () = site.multiplexed().await.publish("a", "b").await.unwrap();
    assert_eq!(next(&mut messages).await.channel, "a");
}

/// Whoever is slow is told what it missed; others and renewal never notice.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_receiver_holds_up_nobody() {
    const CAPACITY: usize = 16;
    let site = Site::start(Bed::builder().frequent()).await;
    let mut builder = Builder::from_config(site.config());
    builder.with_performance_config(|config| config.broadcast_channel_capacity = CAPACITY);
    let subscriber = builder.renewal(&site.renewal).build_subscriber().unwrap();
    subscriber.init().await.unwrap();
    subscriber.subscribe("c:1").await.unwrap();
    let (mut slow, mut quick) = (subscriber.message_rx(), subscriber.message_rx());
    let mut connection = site.multiplexed().await;
    for number in 0..100 {
        let () = connection.publish("c:1", number).await.unwrap();
        assert_eq!(next_payload(&mut quick).await, number.to_string());
    }
    site.until("it is handed over", |bed| bed.replacements() >= 5)
        .await;
    let Err(RecvError::Lagged(missed)) = slow.recv().await else {
        panic!("it is behind");
    };
    assert_eq!(missed, 84);
    assert_eq!(next_payload(&mut slow).await, missed.to_string());
    assert_eq!(subscriber.gaps(), 0, "of that receiver alone");
}
