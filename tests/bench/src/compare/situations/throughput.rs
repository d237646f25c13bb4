//! A closed loop of `GET`, with and without rotations.

use std::time::Duration;

use fred::interfaces::ClientLike;
use redis::cmd;
use redis_authx_emulator::Emulator;

use crate::closed_loop::{Caller, Latency, Loop, OnConnection};
use crate::compare::bench::Bench;
use crate::compare::fred_clients::FredContestant;
use crate::compare::load::{KEY, OnFred, figures};
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};
use crate::redis::server::Server;
use crate::redis::unlimited;

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "steady",
        title: "Steady load",
        about: "64 tasks `GET` on one connection, straight to redis-server, since the gateway \
                would be the slower of the two; no rotation.",
        clients: Clients::Redis,
        rounds: Rounds::full(7),
        limit: Duration::from_secs(30),
        measure: |bench| on_redis(bench, Plan::HOUR),
        plots: no_plots,
    },
    Situation {
        name: "every-second",
        title: "A rotation every second",
        about: "The steady load, while both sides get a new token every second.",
        clients: Clients::Redis,
        rounds: Rounds::full(7),
        limit: Duration::from_secs(30),
        measure: |bench| on_redis(bench, Plan::EVERY_SECOND),
        plots: no_plots,
    },
    Situation {
        name: "fred-steady",
        title: "Steady load",
        about: "64 tasks `GET` by one client, straight to redis-server; no rotation.",
        clients: Clients::Fred,
        rounds: Rounds::full(5),
        limit: Duration::from_secs(30),
        measure: |bench| on_fred(bench, Plan::HOUR),
        plots: no_plots,
    },
    Situation {
        name: "fred-every-second",
        title: "A rotation every second",
        about: "The steady load, while both sides get a new token every second: fred by its \
                refresh interval.",
        clients: Clients::Fred,
        rounds: Rounds::full(5),
        limit: Duration::from_secs(30),
        measure: |bench| on_fred(bench, Plan::EVERY_SECOND),
        plots: no_plots,
    },
];

const TASKS: usize = 64;

static TOKENS: Row = Row::shown("tokens", Unit::Count);

fn on_redis(bench: &Bench, plan: Plan) -> Measured {
    measure(bench, plan, async |emulator, url, time| {
        let contestant = Contestant::start(bench.side, emulator, url, plan);
        let opened = contestant.multiplexed(unlimited()).await;
        let connection = opened.expect("a connection");
        let mut get = cmd("GET");
        get.arg(KEY);
        run(OnConnection(connection, get), time).await
    })
}

fn on_fred(bench: &Bench, plan: Plan) -> Measured {
    measure(bench, plan, async |emulator, url, time| {
        let client = FredContestant::start(bench.side, emulator, url, plan).client();
        client.init().await.expect("a connection");
        run(OnFred(client), time).await
    })
}

async fn run(caller: impl Caller + Clone, time: Duration) -> Latency {
    let mut tasks = Loop::new(vec![caller; TASKS]);
    tasks.run(time).await;
    tasks.latency()
}

fn measure(
    bench: &Bench,
    plan: Plan,
    load: impl AsyncFnOnce(&Emulator, &str, Duration) -> Latency,
) -> Measured {
    let emulator = bench.emulator(Emulator::builder().token_lifetime(plan.lifetime));
    let server = Server::start_for(emulator.object_id());
    let time = bench.pick(Duration::from_secs(3), Duration::from_millis(1500));
    let latency = bench.run(load(&emulator, &server.url(), time));
    figures(&latency, time).with(&TOKENS, emulator.identity().tokens_issued() as f64)
}
