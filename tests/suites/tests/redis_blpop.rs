//! Commands that block on a connection that is replaced: they go on where it
//! went, and what they wait for is neither lost nor taken twice.

#![allow(clippy::unwrap_used)] // the cases are mounted as tests, not marked as such

use redis::{AsyncCommands, RedisResult};
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Bed, Server, on_every_server, patient};
use tokio::task::JoinSet;

on_every_server!(every_element_is_popped_once,);
async fn unlimited(bed: &Bed) -> AuthConnection {
    let config = patient().set_response_timeout(None);
    bed.client.multiplexed_with_config(config).await.unwrap()
}

const LAST: i64 = -1;

/// Pops until the last element.
async fn consume(mut connection: AuthConnection, block: f64) -> RedisResult<Vec<i64>> {
    let mut popped = Vec::new();
    loop {
        let next: Option<(String, i64)> = connection.blpop("queue", block).await?;
        match next {
            Some((_, LAST)) => return Ok(popped),
            Some((_, element)) => popped.push(element),
            None => assert!(block > 0.0, "it blocks for ever"),
        }
    }
}

/// 10,000 elements for eight consumers, four of which share a connection, over
/// 100 rotations that each replace most connections.
async fn every_element_is_popped_once(server: Server) {
    const ROTATIONS: i64 = 100;
    const BATCH: i64 = 100;

    let bed = server.bed().brisk().start().await;
    let shared = unlimited(&bed).await;
    let mut consumers = JoinSet::new();
    for _ in 0..4 {
        consumers.spawn(consume(shared.clone(), 0.0));
    }
    for block in [0.0, 0.0, 0.02, 5.0] {
        consumers.spawn(consume(unlimited(&bed).await, block));
    }
    let mut producer = bed.multiplexed().await;
    for round in 0..ROTATIONS {
        let replaced = bed.replacements();
        bed.turn().await;
        if round % 2 == 0 {
            // Idle consumers can't take the new token.
            bed.until("replacements begin", |bed| bed.replacements() > replaced)
                .await;
        }
        let elements: Vec<i64> = (0..BATCH).map(|nth| round * BATCH + nth).collect();
        for some in elements.chunks(5) {
            let _: u64 = producer.rpush("queue", some).await.unwrap();
        }
    }
    let _: u64 = producer.rpush("queue", &[LAST; 8]).await.unwrap();
    let mut popped = Vec::new();
    while let Some(consumer) = consumers.join_next().await {
        popped.extend(consumer.unwrap().unwrap());
    }
    popped.sort_unstable();
    println!(
        "{} rotations, {} replacements, {} elements popped",
        bed.rotations(),
        bed.replacements(),
        popped.len()
    );
    assert!(
        popped.iter().copied().eq(0..ROTATIONS * BATCH),
        "{popped:?}"
    );
    assert!(bed.replacements() >= 100, "{}", bed.replacements());
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}
