//! The identity service is away, shorter and longer than either side's retries.

use std::time::Duration;

use redis_authx_emulator::Emulator;
use tokio::time::sleep;

use crate::compare::bench::Bench;
use crate::compare::drip::{Pinged, Seen, drip};
use crate::compare::fred_clients::FredContestant;
use crate::compare::measured::Measured;
use crate::compare::outcome::Outcome;
use crate::compare::plan::Plan;
use crate::compare::plot::{Curve, Panel, Plot, Shape};
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Side, Situation};

const SHORT: &str = "Identity outage shorter than the retries";
const SHORT_ABOUT: &str = "50 `PING`s a second on one connection. The identity service is away \
    for half a second, just when the token is to be renewed; the token is good for longer.";
const LONG: &str = "Identity outage longer than the retries";
const LONG_ABOUT: &str = "50 `PING`s a second on one connection. The identity service is away for \
    6 s, from just before the token is to be renewed: longer than either side retries at a time. \
    The token is good for half a minute more.";
const BEYOND: &str = "Identity outage beyond the token's expiry";
const BEYOND_ABOUT: &str = "50 `PING`s a second on one connection, each given two seconds. The \
    identity service is away for 16 s, from just before a token of 8 s is to be renewed. Without \
    a token no command can be served, so what counts is what happens after the outage. Ours \
    pauses for 30 s between its rounds of retries; fred asks again with every try to reconnect.";

/// The two of a situation that differ in the client.
const fn situation(
    name: &'static str,
    title: &'static str,
    about: &'static str,
    clients: Clients,
    measure: fn(&Bench) -> Measured,
) -> Situation {
    Situation {
        name,
        title,
        about,
        clients,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(70),
        measure,
        plots: plot,
    }
}

pub(crate) const SITUATIONS: &[Situation] = &[
    situation(
        "outage-short",
        SHORT,
        SHORT_ABOUT,
        Clients::Redis,
        |bench| of_redis(bench, Outage::short(bench)),
    ),
    situation("outage-long", LONG, LONG_ABOUT, Clients::Redis, |bench| {
        of_redis(bench, Outage::long(bench))
    }),
    situation(
        "outage-beyond",
        BEYOND,
        BEYOND_ABOUT,
        Clients::Redis,
        |bench| of_redis(bench, Outage::beyond_expiry(bench)),
    ),
    situation(
        "fred-outage-short",
        SHORT,
        SHORT_ABOUT,
        Clients::Fred,
        |bench| of_fred(bench, Outage::short(bench)),
    ),
    situation(
        "fred-outage-long",
        LONG,
        LONG_ABOUT,
        Clients::Fred,
        |bench| of_fred(bench, Outage::long(bench)),
    ),
    situation(
        "fred-outage-beyond",
        BEYOND,
        BEYOND_ABOUT,
        Clients::Fred,
        |bench| of_fred(bench, Outage::beyond_expiry(bench)),
    ),
];

static FAILED: Row = Row::lower("commands failed", Unit::Count).in_short();
static AFTERWARDS: Row = Row::lower("of them sent after the outage", Unit::Count);
static RECOVERY: Row = Row::lower("from its end to the last failure", Unit::Seconds);

const ANSWERED: &str = "answered";
const NOT_ANSWERED: &str = "not answered";
const MARKS: &str = "outage";

/// When it is, after the start, and how long commands are sent.
#[derive(Clone, Copy, Debug)]
struct Outage {
    plan: Plan,
    begin: Duration,
    length: Duration,
    end_of_run: Duration,
}

impl Outage {
    fn short(bench: &Bench) -> Self {
        Self {
            plan: Plan::short(Duration::from_secs(8), Duration::from_secs(1)),
            begin: Duration::from_millis(800),
            length: Duration::from_millis(500),
            end_of_run: bench.pick(Duration::from_secs(5), Duration::from_millis(1800)),
        }
    }

    /// Ours begins another cycle of retries about 35 s after the first one.
    fn long(bench: &Bench) -> Self {
        Self {
            plan: Plan::short(Duration::from_secs(40), Duration::from_secs(1)),
            begin: Duration::from_millis(800),
            length: bench.pick(Duration::from_secs(6), Duration::from_millis(500)),
            end_of_run: bench.pick(Duration::from_secs(46), Duration::from_millis(1500)),
        }
    }

    /// The same.
    fn beyond_expiry(bench: &Bench) -> Self {
        Self {
            plan: Plan::short(Duration::from_secs(8), Duration::from_secs(1)),
            begin: Duration::from_millis(800),
            length: bench.pick(Duration::from_secs(16), Duration::from_millis(500)),
            end_of_run: bench.pick(Duration::from_secs(42), Duration::from_millis(1500)),
        }
    }

    async fn seen_by<P: Pinged>(self, connection: P, emulator: &Emulator) -> Seen {
        let (seen, ()) = tokio::join!(drip(connection, self.end_of_run), async {
            sleep(self.begin).await;
            emulator.identity().outage(self.length);
        });
        seen
    }

    fn measured(self, seen: &Seen) -> Measured {
        let (begin, end) = (self.begin, self.begin + self.length);
        let (begin, end) = (begin.as_secs_f64(), end.as_secs_f64());
        Measured::default()
            .of(&FAILED, seen.failed(), seen.commands())
            .with(&AFTERWARDS, seen.failed_within(end, f64::INFINITY) as f64)
            .with(&RECOVERY, seen.recovered_after(end))
            .series(ANSWERED, seen.rate(true))
            .series(NOT_ANSWERED, seen.rate(false))
            .series(MARKS, vec![(begin, 0.0), (end, 0.0)])
    }
}

fn of_redis(bench: &Bench, outage: Outage) -> Measured {
    let emulator = bench.gateway(outage.plan);
    let seen = bench.run(async {
        let url = emulator.redis_url();
        let contestant = Contestant::start(bench.side, &emulator, url, outage.plan);
        let connection = contestant.manager().await.expect("a connection");
        outage.seen_by(connection, &emulator).await
    });
    outage.measured(&seen)
}

fn of_fred(bench: &Bench, outage: Outage) -> Measured {
    let emulator = bench.gateway(outage.plan);
    let seen = bench.run(async {
        let url = emulator.redis_url();
        let contestant = FredContestant::start(bench.side, &emulator, url, outage.plan);
        let client = contestant.connected().await;
        outage.seen_by(client, &emulator).await
    });
    outage.measured(&seen)
}

/// A panel for each side.
fn plot(outcome: &Outcome) -> Vec<Plot> {
    let panel = |side: Side| {
        let measured = outcome.last(side)?;
        let curve = |name| Curve::of(side, measured.points(name)).named(name);
        Some(Panel {
            title: format!("{}, {}", outcome.situation.title, side.name()),
            x: "seconds (outage between the marks)",
            y: "commands a second",
            shape: Shape::Line,
            curves: vec![curve(ANSWERED), curve(NOT_ANSWERED).lighter(0.5)],
            marks: measured.points(MARKS).iter().map(|(at, _)| *at).collect(),
        })
    };
    vec![Plot {
        name: outcome.situation.name.to_owned(),
        panels: Side::BOTH.into_iter().filter_map(panel).collect(),
    }]
}
