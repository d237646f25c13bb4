//! From nothing to the first reply.

use std::time::{Duration, Instant};

use fred::interfaces::{ClientLike, KeysInterface};
use futures::future::join_all;
use redis::cmd;
use redis_authx_emulator::{Emulator, Store};
use tokio::time::sleep;

use crate::compare::bench::Bench;
use crate::compare::fred_clients::FredContestant;
use crate::compare::load::KEY;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};
use crate::redis::unlimited;

const ONE: &str = "From nothing but settings to the reply to a first command through the gateway, \
                   token request included.";
const MANY: &str = "As with one, all opened at once; to the last of their first replies.";

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "cold-start",
        title: "Cold start, one connection",
        about: ONE,
        clients: Clients::Redis,
        rounds: Rounds::full(15),
        limit: Duration::from_secs(30),
        measure: |bench| on_redis(bench, 1),
        plots: no_plots,
    },
    Situation {
        name: "cold-start-500",
        title: "Cold start, 500 connections",
        about: MANY,
        clients: Clients::Redis,
        rounds: Rounds::full(7),
        limit: Duration::from_secs(60),
        measure: |bench| on_redis(bench, bench.pick(500, 50)),
        plots: no_plots,
    },
    Situation {
        name: "fred-cold-start",
        title: "Cold start, one connection",
        about: ONE,
        clients: Clients::Fred,
        rounds: Rounds::full(15),
        limit: Duration::from_secs(30),
        measure: |bench| on_fred(bench, 1),
        plots: no_plots,
    },
    Situation {
        name: "fred-cold-start-500",
        title: "Cold start, 500 connections",
        about: MANY,
        clients: Clients::Fred,
        rounds: Rounds::full(7),
        limit: Duration::from_secs(60),
        measure: |bench| on_fred(bench, bench.pick(500, 50)),
        plots: no_plots,
    },
];

static TIME: Row = Row::lower("to the first reply", Unit::Millis).in_short();
static REQUESTS: Row = Row::lower("token requests", Unit::Count);
static AUTHS: Row = Row::lower("log-ins a connection", Unit::Count);

fn on_redis(bench: &Bench, connections: usize) -> Measured {
    measure(bench, connections, async |emulator| {
        let contestant = Contestant::start(bench.side, emulator, emulator.redis_url(), Plan::HOUR);
        let opened = join_all((0..connections).map(|_| async {
            let opened = contestant.multiplexed(unlimited()).await;
            let mut connection = opened.expect("a connection");
            let got = cmd("GET").arg(KEY).exec_async(&mut connection).await;
            got.expect("a reply");
            connection
        }));
        (opened.await, contestant)
    })
}

fn on_fred(bench: &Bench, connections: usize) -> Measured {
    measure(bench, connections, async |emulator| {
        let contestant =
            FredContestant::start(bench.side, emulator, emulator.redis_url(), Plan::HOUR);
        let opened = join_all((0..connections).map(|_| async {
            let client = contestant.client();
            client.init().await.expect("a connection");
            let got: Result<Option<String>, _> = client.get(KEY).await;
            got.expect("a reply");
            client
        }));
        (opened.await, contestant)
    })
}

fn measure<C>(
    bench: &Bench,
    connections: usize,
    start: impl AsyncFnOnce(&Emulator) -> C,
) -> Measured {
    let emulator = bench.emulator(Emulator::builder().store(Store::RedisServer));
    let spent = bench.run(async {
        let begun = Instant::now();
        let opened = start(&emulator).await;
        let spent = begun.elapsed();
        // What a client does after its first reply counts among the log-ins.
        let (redis, mut last) = (emulator.redis(), 0);
        while last != redis.auths() {
            last = redis.auths();
            sleep(Duration::from_millis(200)).await;
        }
        drop(opened);
        spent
    });
    let auths = emulator.redis().auths() as f64;
    Measured::default()
        .with(&TIME, spent.as_secs_f64() * 1000.0)
        .with(&REQUESTS, emulator.identity().token_requests() as f64)
        .with(&AUTHS, auths / connections as f64)
}
