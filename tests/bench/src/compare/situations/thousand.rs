//! One rotation of 1,000 connections, as the gateway sees it.

use std::time::{Duration, Instant};

use fred::interfaces::ClientLike;
use redis_authx_emulator::Emulator;
use tokio::time::sleep;

use crate::compare::bench::Bench;
use crate::compare::fred_clients::FredContestant;
use crate::compare::measured::Measured;
use crate::compare::outcome::Outcome;
use crate::compare::plan::Plan;
use crate::compare::plot::{Curve, Panel, Plot, Shape};
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Side, Situation};
use crate::redis::unlimited;

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "thousand-connections",
        title: "1,000 connections at one rotation",
        about: "When each connection's `AUTH` is accepted by the gateway, counted from the \
                first. They are opened one by one. Tokens live for 24 s and both sides renew \
                them after 6 s.",
        clients: Clients::Redis,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(90),
        measure: on_redis,
        plots,
    },
    Situation {
        name: "fred-thousand-connections",
        title: "1,000 connections at one rotation",
        about: "The same with 1,000 clients. fred has a timer for each of them, from when it \
                connected.",
        clients: Clients::Fred,
        rounds: Rounds::full(1),
        limit: Duration::from_secs(90),
        measure: on_fred,
        plots,
    },
];

static BUSIEST: Row = Row::lower("`AUTH`s in the busiest 10 ms", Unit::Count);
static PEAK: Row = Row::lower("most `AUTH`s in flight", Unit::Count).in_short();
static SPREAD: Row = Row::shown("from the first to the last", Unit::Millis);
static RENEWED: Row = Row::higher("connections renewed", Unit::Count);
static MARGIN: Row = Row::shown("least time left to the old token", Unit::Seconds);

fn on_redis(bench: &Bench) -> Measured {
    measure(bench, async |emulator, plan, connections| {
        let contestant = Contestant::start(bench.side, emulator, emulator.redis_url(), plan);
        let mut opened = Vec::new();
        for _ in 0..connections {
            let connection = contestant.multiplexed(unlimited()).await;
            opened.push(connection.expect("a connection"));
        }
        (opened, contestant)
    })
}

fn on_fred(bench: &Bench) -> Measured {
    measure(bench, async |emulator, plan, connections| {
        let contestant = FredContestant::start(bench.side, emulator, emulator.redis_url(), plan);
        let mut opened = Vec::new();
        for _ in 0..connections {
            let client = contestant.client();
            client.init().await.expect("a connection");
            opened.push(client);
        }
        (opened, contestant)
    })
}

fn measure<C>(bench: &Bench, open: impl AsyncFnOnce(&Emulator, Plan, usize) -> C) -> Measured {
    let plan = bench.pick(
        Plan::short(Duration::from_secs(24), Duration::from_secs(6)),
        Plan::short(Duration::from_secs(10), Duration::from_secs(4)),
    );
    let connections = bench.pick(1000, 100);
    let emulator = bench.gateway(plan);
    let redis = emulator.redis();
    let ready = bench.run(async {
        let opened = open(&emulator, plan, connections).await;
        // The built-in sends a second `AUTH` to begin with.
        let mut last = 0;
        while last != redis.auths() {
            last = redis.auths();
            sleep(Duration::from_millis(100)).await;
        }
        let ready = Instant::now();
        let renewed = || times(&emulator, ready).len();
        while renewed() < connections && ready.elapsed() < plan.lifetime {
            sleep(Duration::from_millis(20)).await;
        }
        drop(opened);
        ready
    });
    let times = times(&emulator, ready);
    let busiest = times.iter().enumerate().map(|(first, begin)| {
        let within = times[first..].iter().take_while(|at| **at < begin + 10.0);
        within.count()
    });
    let margins = redis.connection_reports().into_iter();
    let margin = margins.filter_map(|one| one.least_margin).min();
    let margin = margin.unwrap_or_default().as_secs_f64();
    Measured::default()
        .with(&BUSIEST, busiest.max().unwrap_or_default() as f64)
        .with(&PEAK, redis.peak_auths_in_flight() as f64)
        .with(&SPREAD, times.last().copied().unwrap_or_default())
        .with(&RENEWED, times.len() as f64)
        .with(&MARGIN, margin)
        .series("times", times.iter().map(|at| (*at, 1.0)).collect())
}

/// When connections logged in again since then, in ms from the first, in order.
fn times(emulator: &Emulator, since: Instant) -> Vec<f64> {
    let reports = emulator.redis().connection_reports().into_iter();
    let again = reports
        .filter_map(|one| one.last_auth_at)
        .filter(|at| *at > since);
    let mut times: Vec<Instant> = again.collect();
    times.sort();
    let Some(first) = times.first().copied() else {
        return Vec::new();
    };
    let after = |at: Instant| at.duration_since(first).as_secs_f64() * 1000.0;
    times.into_iter().map(after).collect()
}

/// One panel each: they differ too much for one.
fn plots(outcome: &Outcome) -> Vec<Plot> {
    const BARS: usize = 50;
    let panels = Side::BOTH.into_iter().filter_map(|side| {
        let times = outcome.last(side)?.points("times");
        let width = (times.last()?.0 / BARS as f64).max(1.0);
        let mut counts = vec![0_u32; BARS + 1];
        for (at, _) in times {
            counts[((at / width) as usize).min(BARS)] += 1;
        }
        let bars = counts.iter().enumerate();
        let points: Vec<_> = bars
            .map(|(number, count)| (number as f64 * width, f64::from(*count)))
            .collect();
        Some(Panel {
            title: format!(
                "{}: AUTHs in each {width:.0} ms of one rotation",
                side.name()
            ),
            x: "ms from the first",
            y: "AUTHs",
            shape: Shape::Bars,
            curves: vec![Curve::of(side, &points)],
            marks: Vec::new(),
        })
    });
    vec![Plot {
        name: outcome.situation.name.to_owned(),
        panels: panels.collect(),
    }]
}
