//! From nothing to the first reply.

use std::time::{Duration, Instant};

use futures::future::try_join_all;
use redis::AsyncConnectionConfig;
use redis::cmd;
use redis_authx_emulator::{Emulator, Store};

use crate::compare::bench::Bench;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "cold-start",
        title: "Cold start, one connection",
        about: "From nothing but settings to the reply to a first `PING` through the gateway, \
                token request included.",
        clients: Clients::Redis,
        rounds: Rounds::full(11),
        limit: Duration::from_secs(30),
        measure: |bench| measure(bench, 1),
        plots: no_plots,
    },
    Situation {
        name: "cold-start-500",
        title: "Cold start, 500 connections at once",
        about: "As with one; a connection that fails for good fails the run.",
        clients: Clients::Redis,
        rounds: Rounds::full(5),
        limit: Duration::from_secs(60),
        measure: |bench| measure(bench, bench.pick(500, 50)),
        plots: no_plots,
    },
];

static TIME: Row = Row::lower("to the first reply, all", Unit::Millis);
static REQUESTS: Row = Row::lower("token requests", Unit::Count);
static AUTHS: Row = Row::lower("`AUTH`s a connection", Unit::Count);

fn measure(bench: &Bench, connections: usize) -> Measured {
    let emulator = bench.emulator(Emulator::builder().store(Store::RedisServer));
    let spent = bench.run(async {
        let begun = Instant::now();
        let contestant = Contestant::start(bench.side, &emulator, emulator.redis_url(), Plan::HOUR);
        let open = (0..connections).map(|_| async {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(None)
                .set_response_timeout(None);
            let mut connection = contestant.multiplexed(config).await?;
            cmd("PING").exec_async(&mut connection).await?;
            redis::RedisResult::Ok(connection)
        });
        let opened = try_join_all(open).await;
        let spent = begun.elapsed();
        opened.expect("every connection");
        // The built-in's second one may be under way still.
        tokio::time::sleep(Duration::from_millis(200)).await;
        spent
    });
    let auths = emulator.redis().auths() as f64;
    Measured::default()
        .with(&TIME, spent.as_secs_f64() * 1000.0)
        .with(&REQUESTS, emulator.identity().token_requests() as f64)
        .with(&AUTHS, auths / connections as f64)
}
