//! Tokens that live for a minute, and such as live shorter than the one before.

use std::time::Duration;

use crate::compare::bench::Bench;
use crate::compare::drip::drip;
use crate::compare::fred_clients::FredContestant;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "lifetime-60s",
        title: "Tokens of 60 s",
        about: "One connection, an identity service that takes 20 ms to answer, and 50 s, in \
                which ours renews once. Both sides are told the true expiry and have their \
                defaults: the built-in asks for a token 240 s before the last one expires.",
        clients: Clients::Redis,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(70),
        measure: a_minute,
        plots: no_plots,
    },
    Situation {
        name: "fred-lifetime-shorter",
        title: "Tokens that live shorter than the first",
        about: "50 `PING`s a second on one connection. The first token lives for 8 s, later ones \
                for 3 s, as an identity service that keeps tokens hands them out. fred refreshes \
                by a fixed interval, here three quarters of the first token's life.",
        clients: Clients::Fred,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(40),
        measure: shorter,
        plots: no_plots,
    },
];

static REQUESTS: Row = Row::lower("token requests a second", Unit::PerSecond).in_short();
static AUTHS: Row = Row::lower("`AUTH`s a second", Unit::PerSecond);

static FAILED: Row = Row::lower("commands failed", Unit::Count).in_short();
static EXPIRED: Row = Row::lower("connections that their token's expiry ended", Unit::Count);

const MINUTE: Plan = Plan {
    lifetime: Duration::from_secs(60),
    renewed_after: None,
};

fn a_minute(bench: &Bench) -> Measured {
    let time = bench.pick(Duration::from_secs(50), Duration::from_secs(1));
    let emulator = bench.gateway(MINUTE);
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

fn shorter(bench: &Bench) -> Measured {
    let plan = Plan {
        lifetime: Duration::from_secs(8),
        renewed_after: None,
    };
    let time = bench.pick(Duration::from_secs(16), Duration::from_secs(1));
    let emulator = bench.gateway(plan);
    let seen = bench.run(async {
        let url = emulator.redis_url();
        let contestant = FredContestant::start(bench.side, &emulator, url, plan);
        let client = contestant.connected().await;
        emulator
            .identity()
            .set_token_lifetime(Duration::from_secs(3));
        drip(client, time).await
    });
    Measured::default()
        .of(&FAILED, seen.failed(), seen.commands())
        .with(&EXPIRED, emulator.redis().closed_by_expiry() as f64)
}
