//! A closed loop of GET and SET, rotating every second, in turn with the same
//! client with a static password.

use std::time::Duration;

use clap::Args;
use redis::aio::ConnectionLike;
use redis::{Cmd, cmd};
use tokio::runtime::Builder;

use super::server::Server;
use super::{connect, ours, plain};
use crate::closed_loop::{self, Latency, OnConnection};
use crate::report::{Kind, Report, row, thousands};
use crate::support::median;

/// The 128 bytes that are read and written.
const VALUE: [u8; 128] = [b'v'; 128];
/// Tokens live twice as long as they are used: a rotation every second.
const LIFETIME: Duration = Duration::from_secs(2);
const LEAST_THROUGHPUT: f64 = 0.99;
const MOST_LATENCY: f64 = 1.1;

/// How much is measured.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Pairs of runs, ours and the plain one's, for each command.
    #[arg(long, default_value_t = 11)]
    pairs: usize,
    /// Seconds of a run.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Tasks that share the connection.
    #[arg(long, default_value_t = 64)]
    tasks: usize,
    /// Threads of the client's runtime.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

/// What one run showed.
struct Run {
    commands: u64,
    latency: Latency,
    rotations: u64,
}

const QUANTILES: [f64; 3] = [0.5, 0.99, 0.999];

impl Run {
    /// Nanoseconds.
    fn at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64
    }
}

/// Runs `command` over and over on clones of `connection`, until the time is
/// over.
async fn load<C>(connection: C, command: &Cmd, options: Options) -> Run
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    let callers = (0..options.tasks).map(|_| OnConnection(connection.clone(), command.clone()));
    let latency = closed_loop::latency(callers, Duration::from_secs(options.seconds)).await;
    Run {
        commands: latency.len(),
        latency,
        rotations: 0,
    }
}

/// One run of each.
async fn pair(server: &Server, command: &Cmd, options: Options, ours_first: bool) -> [Run; 2] {
    let plain = async || {
        let connection = plain(server).await;
        load(connection, command, options).await
    };
    let ours = async || {
        let (manager, client) = ours(server, LIFETIME, 0.5);
        let connection = connect(&client).await;
        let before = manager.status().generation;
        let mut run = load(connection, command, options).await;
        run.rotations = manager.status().generation - before;
        run
    };
    if ours_first {
        let ours = ours().await;
        [plain().await, ours]
    } else {
        [plain().await, ours().await]
    }
}

pub(crate) fn run(report: &mut Report, options: Options) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(options.threads.max(1))
        .enable_all()
        .build()
        .expect("a runtime");
    let server = Server::start();
    let mut set = cmd("SET");
    set.arg("key").arg(&VALUE);
    let mut get = cmd("GET");
    get.arg("key");
    for (name, command) in [("SET", set), ("GET", get)] {
        let pairs: Vec<[Run; 2]> = (0..options.pairs.max(1))
            .map(|number| runtime.block_on(pair(&server, &command, options, number % 2 == 1)))
            .collect();
        show(report, name, &pairs, options);
    }
}

/// Ours over the plain one's, pair by pair.
fn ratios(pairs: &[[Run; 2]], figure: impl Fn(&Run) -> f64) -> Vec<f64> {
    let ratio = |[plain, ours]: &[Run; 2]| figure(ours) / figure(plain);
    pairs.iter().map(ratio).collect()
}

fn show(report: &mut Report, name: &str, pairs: &[[Run; 2]], options: Options) {
    let rotations: u64 = pairs.iter().map(|[_, ours]| ours.rotations).sum();
    report.line(format!(
        "{name}, {} pairs of {} s, {} tasks on one connection, {rotations} rotations",
        pairs.len(),
        options.seconds,
        options.tasks
    ));
    let mut rows = vec![row([
        "",
        "static password",
        "redis-authx",
        "ratio",
        "least",
        "most",
    ])];
    let mut line = |title: &str, figure: &dyn Fn(&Run) -> f64, shown: &dyn Fn(f64) -> String| {
        let middle = |side: usize| median(pairs.iter().map(|pair| figure(&pair[side])).collect());
        let mut ratios = ratios(pairs, figure);
        ratios.sort_by(f64::total_cmp);
        let ratio = median(ratios.clone());
        let ends = [ratios.first(), ratios.last()];
        let [least, most] = ends.map(|end| end.copied().unwrap_or(f64::NAN));
        rows.push(row([
            title,
            &shown(middle(0)),
            &shown(middle(1)),
            &format!("{ratio:.3}"),
            &format!("{least:.3}"),
            &format!("{most:.3}"),
        ]));
        ratio
    };
    let seconds = options.seconds as f64;
    let throughput = line(
        "commands a second",
        &|run| run.commands as f64 / seconds,
        &|figure| thousands(figure as u64),
    );
    let micros = |nanos: f64| format!("{:.0}", nanos / 1000.0);
    let latencies = QUANTILES.map(|quantile| {
        let title = format!("p{} of latency, µs", quantile * 100.0);
        line(&title, &|run| run.at(quantile), &micros)
    });
    report.table(&rows);
    report.target(
        Kind::Time,
        &format!("{name}: throughput at least 0.99 of the plain one's"),
        &format!("{throughput:.3}"),
        throughput >= LEAST_THROUGHPUT,
    );
    let tail = latencies[2];
    report.target(
        Kind::Time,
        &format!("{name}: p99.9 at most 1.1 of the plain one's"),
        &format!("{tail:.3}"),
        tail <= MOST_LATENCY,
    );
    report.line("");
}
