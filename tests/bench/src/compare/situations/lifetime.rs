//! Tokens that live for a minute.

use std::time::Duration;

use redis_authx_emulator::{Emulator, Store};

use crate::compare::bench::Bench;
use crate::compare::drip::drip;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};

pub(crate) const SITUATIONS: &[Situation] = &[Situation {
    name: "lifetime-60s",
    title: "Tokens of 60 s",
    about: "One connection, an identity service that takes 20 ms to answer, and 50 s, in which \
            ours renews once. Both sides are told the true expiry and have their defaults: the \
            built-in asks for a token 240 s before the last one expires.",
    clients: Clients::Redis,
    rounds: Rounds::full(1),
    limit: Duration::from_secs(70),
    measure,
    plots: no_plots,
}];

static REQUESTS: Row = Row::lower("token requests a second", Unit::PerSecond).in_short();
static AUTHS: Row = Row::lower("`AUTH`s a second", Unit::PerSecond);

const MINUTE: Plan = Plan {
    lifetime: Duration::from_secs(60),
    renewed_after: None,
};

fn measure(bench: &Bench) -> Measured {
    let time = bench.pick(Duration::from_secs(50), Duration::from_secs(2));
    let builder = Emulator::builder().token_lifetime(MINUTE.lifetime);
    let emulator = bench.emulator(builder.store(Store::RedisServer));
    emulator.identity().set_latency(Duration::from_millis(20));
    bench.run(async {
        let url = emulator.redis_url();
        let contestant = Contestant::start(bench.side, &emulator, url, MINUTE);
        let connection = contestant.manager().await.expect("a connection");
        drip(connection, time).await;
    });
    let a_second = |count: u64| count as f64 / time.as_secs_f64();
    Measured::default()
        .with(&REQUESTS, a_second(emulator.identity().token_requests()))
        .with(&AUTHS, a_second(emulator.redis().auths()))
}
