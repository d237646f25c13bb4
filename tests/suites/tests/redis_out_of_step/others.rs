//! On connections of other kinds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::cluster::ClusterClientBuilder;
use redis::{AsyncCommands, Commands, RedisResult};
use redis_authx::ReauthErrorKind;
use redis_authx_emulator::{Refusal, Store};
use redis_authx_suites::{Bed, PATIENCE, Server, Stall, Threaded};

use crate::readers::{By, Readers, Seen, key, set_values, value};
use crate::{calm, failures};

redis_authx_suites::on_every_server!(
    messages_that_arrive_meanwhile_are_not_lost,
    a_subscriber_whose_token_is_revoked_meanwhile,
    a_sync_connection_keeps_in_step,
);

/// Over RESP3, where messages are pending output of the server as well.
async fn messages_that_arrive_meanwhile_are_not_lost(server: Server) {
    let (bed, mut messages) = subscribed(&server).await;
    let stop = Arc::new(AtomicBool::new(false));
    let publishing = tokio::spawn(publish(bed.multiplexed().await, Arc::clone(&stop)));
    let mut expected = 0;
    let read = async |messages: &mut redis_authx_redis::AuthPubSub, count: u64, from: &mut u64| {
        for _ in 0..count {
            let message = tokio::time::timeout(PATIENCE, messages.next()).await;
            let number: u64 = message.unwrap().unwrap().get_payload().unwrap();
            assert_eq!(number, *from);
            *from += 1;
        }
    };
    read(&mut messages, 100, &mut expected).await;
    let stall = Stall::start(&bed.emulator);
    for refusals in 1..=3 {
        bed.emulator.redis().refuse_next_auths(1);
        bed.turn().await;
        while failures(&bed, ReauthErrorKind::Refused) < refusals
            || messages.status().generation < bed.manager.status().generation
        {
            read(&mut messages, 10, &mut expected).await;
        }
        // The next refusal is one of a new token.
        bed.turn().await;
    }
    drop(stall);
    read(&mut messages, 1000, &mut expected).await;
    stop.store(true, Ordering::SeqCst);
    let published = publishing.await.unwrap();
    read(&mut messages, published - expected, &mut expected.clone()).await;
    assert_eq!(messages.gaps(), 0);
    assert!(messages.status().last_error.is_none());
}

/// A token that was shown is refused all the same: it has been revoked meanwhile. The
/// subscriber is handed over where the refusal was dropped, and what it missed then is
/// counted.
async fn a_subscriber_whose_token_is_revoked_meanwhile(server: Server) {
    let (bed, mut messages) = subscribed(&server).await;
    let stop = Arc::new(AtomicBool::new(false));
    let publishing = tokio::spawn(publish(bed.multiplexed().await, Arc::clone(&stop)));
    let mut expected = 0;
    let mut read = async |messages: &mut redis_authx_redis::AuthPubSub| {
        let gaps = messages.gaps();
        let message = tokio::time::timeout(PATIENCE, messages.next()).await;
        let number: u64 = message.unwrap().unwrap().get_payload().unwrap();
        assert!(
            number == expected || messages.gaps() > gaps,
            "{number}, not {expected}"
        );
        expected = number + 1;
    };
    let stall = Stall::start(&bed.emulator);
    for _ in 0..3 {
        let refused = bed.emulator.redis().auths_refused();
        let redis = bed.emulator.redis();
        redis.refuse_next_reauths_with(1, Refusal::WrongPass);
        bed.turn().await;
        while bed.emulator.redis().auths_refused() == refused
            || messages.status().generation < bed.manager.status().generation
        {
            read(&mut messages).await;
        }
    }
    drop(stall);
    for _ in 0..1000 {
        read(&mut messages).await;
    }
    stop.store(true, Ordering::SeqCst);
    publishing.await.unwrap();
    println!("{} gaps, {:?}", messages.gaps(), bed.replacements());
}

/// Over RESP3, to what [`publish`] publishes.
async fn subscribed(server: &Server) -> (Bed, redis_authx_redis::AuthPubSub) {
    let bed = calm(server.bed()).resp3().start().await;
    let messages = bed.client.pubsub().await.unwrap();
    messages.subscribe("numbers").await.unwrap();
    (bed, messages)
}

/// Numbers, without a pause; how many.
async fn publish(mut connection: redis_authx_redis::AuthConnection, stop: Arc<AtomicBool>) -> u64 {
    let mut number = 0;
    while !stop.load(Ordering::SeqCst) {
        () = connection.publish("numbers", number).await.unwrap();
        number += 1;
    }
    number
}

/// A command is given up, and its reply is still to come.
async fn a_sync_connection_keeps_in_step(server: Server) {
    let bed = calm(server.bed()).start().await;
    set_values(&bed.multiplexed().await, 4).await;
    let read = |number: usize, connection: &mut redis_authx_redis::AuthSyncConnection| {
        let own: RedisResult<String> = connection.get(key(number));
        match own {
            Ok(own) => assert_eq!(own, value(number)),
            Err(error) if error.is_timeout() => {}
            Err(error) => return Err(error),
        }
        connection.set_read_timeout(Some(Duration::from_millis(1)))
    };
    let threaded = Threaded::start(&bed.client, 4, read).await;
    let stall = Stall::start(&bed.emulator);
    for _ in 0..3 {
        let refused = bed.emulator.redis().auths_refused();
        bed.emulator.redis().refuse_next_auths(4);
        bed.turn().await;
        bed.until("all are refused", |bed| {
            bed.emulator.redis().auths_refused() == refused + 4
        })
        .await;
        bed.turn().await;
    }
    drop(stall);
    let worked = threaded.stop().await;
    assert_eq!(worked.errors, [""; 0]);
    assert!(worked.done > 0);
}

fn limits(settings: ClusterClientBuilder) -> ClusterClientBuilder {
    settings
        .response_timeout(PATIENCE)
        .connection_timeout(PATIENCE)
}

/// Each node's connection for itself; redis-rs sends a command again that fails.
#[tokio::test(flavor = "multi_thread")]
async fn the_nodes_of_a_cluster_keep_in_step() {
    let bed = calm(Bed::builder().store(Store::cluster(3, 0)))
        .start()
        .await;
    bed.emulator.redis().drop_refusals_behind_replies(true);
    let cluster = bed.client.cluster_with(limits).await.unwrap();
    let readers = Readers::start(&cluster, 64, By::Commands).await;
    readers.go_on(&bed, 100).await;
    bed.emulator.redis().refuse_next_auths(2);
    bed.turn().await;
    bed.until("two are refused", |bed| {
        failures(bed, ReauthErrorKind::Refused) == 2
    })
    .await;
    bed.until("all have the newest token", |bed| {
        let newest = bed.manager.status().generation;
        let nodes = cluster.nodes();
        nodes
            .iter()
            .all(|node| node.connection.generation == newest)
    })
    .await;
    readers.go_on(&bed, 1000).await;
    assert_eq!(readers.stop().await, Seen::default());
    assert_eq!(bed.emulator.redis().connections_accepted(), 3);
}
