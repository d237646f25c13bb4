//! A transaction that is sent command by command, while tokens rotate.

use std::time::Duration;

use fred::interfaces::ClientLike;
use fred::types::{ClusterHash, CustomCommand};
use redis::{Value, cmd};
use tokio::time::sleep;

use crate::compare::bench::Bench;
use crate::compare::fred_clients::FredContestant;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};
use crate::redis::unlimited;

const ABOUT: &str = "`MULTI`, two commands 1.5 s apart and `EXEC`, each sent by itself on a \
    connection of its own, with a token every second. A transaction is wrong if `EXEC` fails or \
    has not two replies.";

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "raw-multi",
        title: "Raw `MULTI` across a rotation",
        about: ABOUT,
        clients: Clients::Redis,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(40),
        measure: of_redis,
        plots: no_plots,
    },
    Situation {
        name: "fred-raw-multi",
        title: "Raw `MULTI` across a rotation",
        about: ABOUT,
        clients: Clients::Fred,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(40),
        measure: of_fred,
        plots: no_plots,
    },
];

static WRONG: Row = Row::lower("transactions that were wrong", Unit::Count).in_short();
static REPLIES: Row = Row::shown("replies to an `EXEC` of two commands, at most", Unit::Count);

/// A whole rotation fits in.
const HELD: Duration = Duration::from_millis(1500);

fn transactions(bench: &Bench) -> usize {
    bench.pick(6, 1)
}

fn of_redis(bench: &Bench) -> Measured {
    let emulator = bench.gateway(Plan::EVERY_SECOND);
    let replies = bench.run(async {
        let (url, plan) = (emulator.redis_url(), Plan::EVERY_SECOND);
        let contestant = Contestant::start(bench.side, &emulator, url, plan);
        let opened = contestant.multiplexed(unlimited()).await;
        let mut connection = opened.expect("a connection");
        let mut replies = Vec::new();
        for _ in 0..transactions(bench) {
            let begun = cmd("MULTI").exec_async(&mut connection).await;
            let one = cmd("INCR").arg("n").exec_async(&mut connection).await;
            sleep(HELD).await;
            let two = cmd("INCR").arg("n").exec_async(&mut connection).await;
            let ended = cmd("EXEC").query_async::<Value>(&mut connection).await;
            replies.push(match (begun.and(one).and(two), ended) {
                (Ok(()), Ok(Value::Array(replies))) => replies.len(),
                _ => 0,
            });
        }
        replies
    });
    measured(&replies)
}

fn of_fred(bench: &Bench) -> Measured {
    let emulator = bench.gateway(Plan::EVERY_SECOND);
    let replies = bench.run(async {
        let (url, plan) = (emulator.redis_url(), Plan::EVERY_SECOND);
        let contestant = FredContestant::start(bench.side, &emulator, url, plan);
        let client = contestant.connected().await;
        let send = async |command, arguments: &[&str]| {
            let command = CustomCommand::new_static(command, ClusterHash::Random, false);
            client
                .custom::<fred::types::Value, _>(command, arguments.to_vec())
                .await
        };
        let mut replies = Vec::new();
        for _ in 0..transactions(bench) {
            let begun = send("MULTI", &[]).await;
            let one = send("INCR", &["n"]).await;
            sleep(HELD).await;
            let two = send("INCR", &["n"]).await;
            let ended = send("EXEC", &[]).await;
            replies.push(match (begun.and(one).and(two), ended) {
                (Ok(_), Ok(fred::types::Value::Array(replies))) => replies.len(),
                _ => 0,
            });
        }
        replies
    });
    measured(&replies)
}

fn measured(replies: &[usize]) -> Measured {
    let wrong = replies.iter().filter(|replies| **replies != 2).count();
    let most = replies.iter().copied().max().unwrap_or(0);
    Measured::default()
        .of(&WRONG, wrong, replies.len())
        .with(&REPLIES, most as f64)
}
