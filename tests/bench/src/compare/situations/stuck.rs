//! A subscriber to credentials that never looks.

use std::time::Duration;

use futures::{Stream, StreamExt};
use redis::auth::StreamingCredentialsProvider;

use crate::compare::bench::Bench;
use crate::compare::drip::drip;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};

pub(crate) const SITUATIONS: &[Situation] = &[Situation {
    name: "stuck-subscriber",
    title: "One stuck subscriber",
    about: "A token every second, each good for eight. Something subscribes to the credentials and \
            never looks at them, as a task that is blocked or a stream that is kept for later. \
            What becomes of a connection beside it, on which 50 `PING`s are sent a second?",
    clients: Clients::Redis,
    rounds: Rounds::full(3),
    limit: Duration::from_secs(40),
    measure,
    plots: no_plots,
}];

static TOKENS: Row = Row::higher("tokens that the connection got", Unit::Count);
static FAILED: Row = Row::lower("commands failed", Unit::Count).in_short();

fn measure(bench: &Bench) -> Measured {
    let time = bench.pick(Duration::from_secs(14), Duration::from_millis(1500));
    let plan = Plan::short(Duration::from_secs(8), Duration::from_secs(1));
    let emulator = bench.gateway(plan);
    let seen = bench.run(async {
        let contestant = Contestant::start(bench.side, &emulator, emulator.redis_url(), plan);
        let connection = contestant.manager().await.expect("a connection");
        let stuck = subscribe(&contestant);
        let seen = drip(connection, time).await;
        drop(stuck);
        seen
    });
    let reports = emulator.redis().connection_reports();
    let tokens = reports
        .iter()
        .map(|one| one.auths_accepted - one.auths_with_same_token);
    Measured::default()
        .with(&TOKENS, tokens.sum::<u64>() as f64)
        .of(&FAILED, seen.failed(), seen.commands())
}

/// What new credentials come out of.
fn subscribe(contestant: &Contestant) -> Box<dyn Stream<Item = ()> + Send> {
    match contestant {
        Contestant::BuiltIn(one) => Box::new(one.provider.subscribe().map(drop)),
        Contestant::Ours(one) => Box::new(one.manager.credentials().map(drop)),
    }
}
