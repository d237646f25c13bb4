//! Latency while many connections are rotated.

use std::time::{Duration, Instant};

use futures::future::join_all;
use redis::{Cmd, cmd};
use redis_authx_emulator::Emulator;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::compare::bench::Bench;
use crate::compare::load::{KEY, at_quantile, over_time};
use crate::compare::measured::Measured;
use crate::compare::outcome::Outcome;
use crate::compare::plan::Plan;
use crate::compare::plot::{Curve, Panel, Plot, Shape};
use crate::compare::redis_clients::{Connection, Contestant};
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Side, Situation};
use crate::redis::server::Server;
use crate::redis::unlimited;

const NAME: &str = "around-rotation";

pub(crate) const SITUATIONS: &[Situation] = &[Situation {
    name: NAME,
    title: "Latency around a rotation",
    about: "500 connections, each with a `GET` every 50 ms, straight to redis-server; a new \
            token every two seconds. The built-in sends every `AUTH` at once, ours spread over \
            a quarter of the time that the old token has left.",
    clients: Clients::Redis,
    rounds: Rounds::full(3),
    limit: Duration::from_secs(60),
    measure,
    plots,
}];

const CONNECTIONS: u32 = 500;
/// From one command of a connection to the next.
const PACE: Duration = Duration::from_millis(50);
const PLAN: Plan = Plan::short(Duration::from_secs(8), Duration::from_secs(2));
/// Of what the time is cut into, in seconds.
const SLICE: f64 = 0.05;
/// How long a rotation counts as near, in seconds.
const NEAR: f64 = 0.1;

static NEAR_P50: Row = Row::lower("p50 in the 100 ms from a rotation on", Unit::Micros);
static NEAR_P99: Row = Row::lower("p99 in the 100 ms from a rotation on", Unit::Micros).in_short();
static NEAR_WORST: Row = Row::lower("slowest in the 100 ms from a rotation on", Unit::Micros);
static P99: Row = Row::lower("p99 at other times", Unit::Micros);
static ROTATIONS: Row = Row::shown("rotations", Unit::Count);

fn measure(bench: &Bench) -> Measured {
    let emulator = bench.emulator(Emulator::builder().token_lifetime(PLAN.lifetime));
    let server = Server::start_for(emulator.object_id());
    let time = bench.pick(Duration::from_secs(9), Duration::from_secs(3));
    let (begun, mut calls) = bench.run(async {
        let contestant = Contestant::start(bench.side, &emulator, &server.url(), PLAN);
        let mut get = cmd("GET");
        get.arg(KEY);
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            let opened = contestant.multiplexed(unlimited()).await;
            connections.push(opened.expect("a connection"));
        }
        let begun = Instant::now();
        let tasks = (0..).zip(connections).map(|(number, connection)| {
            let begin = begun + PACE * number / CONNECTIONS;
            tokio::spawn(calls(connection, get.clone(), begin, begun + time))
        });
        let seen = join_all(tasks.collect::<Vec<_>>()).await;
        let seen = seen.into_iter().flat_map(|task| task.expect("no panic"));
        let calls = seen.map(|(at, spent)| {
            let at = at.duration_since(begun).as_secs_f64();
            (at, spent.as_secs_f64() * 1e6)
        });
        (begun, calls.collect::<Vec<_>>())
    });
    // The first calls are the load's own beginning.
    calls.retain(|(at, _)| *at > SLICE);
    let requests = emulator.identity().request_times().into_iter();
    let rotations: Vec<f64> = requests
        .filter_map(|at| Some(at.checked_duration_since(begun)?.as_secs_f64()))
        .filter(|at| *at < time.as_secs_f64())
        .collect();
    let is_near = |at: f64| {
        rotations
            .iter()
            .any(|mark| (0.0..NEAR).contains(&(at - mark)))
    };
    let (near, other): (Vec<_>, Vec<_>) = calls.iter().partition(|(at, _)| is_near(*at));
    let of = |calls: &[(f64, f64)], quantile| {
        let spent = calls.iter().map(|call| call.1).collect();
        at_quantile(spent, quantile).unwrap_or(f64::NAN)
    };
    let marks = rotations.iter().map(|at| (*at, 0.0)).collect();
    let mut measured = Measured::default()
        .with(&NEAR_P50, of(&near, 0.5))
        .with(&NEAR_P99, of(&near, 0.99))
        .with(&NEAR_WORST, of(&near, 1.0))
        .with(&P99, of(&other, 0.99))
        .with(&ROTATIONS, rotations.len() as f64)
        .series("rotations", marks);
    for (name, quantile) in QUANTILES {
        measured = measured.series(name, over_time(&calls, SLICE, quantile));
    }
    measured
}

/// When each command was sent, and how long it took.
async fn calls(
    mut connection: Connection,
    command: Cmd,
    begin: Instant,
    end: Instant,
) -> Vec<(Instant, Duration)> {
    let mut pace = interval_at(begin.into(), PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut calls = Vec::new();
    loop {
        pace.tick().await;
        let sent = Instant::now();
        if sent >= end {
            return calls;
        }
        command.exec_async(&mut connection).await.expect("a reply");
        calls.push((sent, sent.elapsed()));
    }
}

const QUANTILES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999)];

fn plots(outcome: &Outcome) -> Vec<Plot> {
    let panels = Side::BOTH.into_iter().filter_map(|side| {
        let measured = outcome.last(side)?;
        let curves = QUANTILES.iter().zip([0.7, 0.35, 0.0]);
        let curves = curves.map(|((name, _), shade)| {
            Curve::of(side, measured.points(name))
                .named(*name)
                .lighter(shade)
        });
        Some(Panel {
            title: format!("{}: latency, rotations marked", side.name()),
            x: "seconds",
            y: "µs",
            shape: Shape::LogLine,
            curves: curves.collect(),
            marks: measured.points("rotations").iter().map(|at| at.0).collect(),
        })
    });
    vec![Plot {
        name: NAME.to_owned(),
        panels: panels.collect(),
    }]
}
