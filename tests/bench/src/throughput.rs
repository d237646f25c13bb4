//! A closed loop of GET and SET, rotating every second, in turn with the same
//! client with a static password.

mod pair;
mod taken;

use clap::Args;
use redis_authx::Credentials;
use tokio::runtime::Builder;

use crate::closed_loop::Caller;
use crate::redis::server::Server;
use crate::report::{Kind, Report, row, thousands};
use crate::support::{ClientName, median};
use crate::{fred, redis};
use pair::{First, Run, pair};

/// The 128 bytes that are read and written.
pub(crate) const VALUE: [u8; 128] = [b'v'; 128];
/// Where they are.
pub(crate) const KEY: &str = "key";
const QUANTILES: [f64; 3] = [0.5, 0.99, 0.999];
const LEAST_THROUGHPUT: f64 = 0.99;
const MOST_LATENCY: f64 = 1.1;

/// How much is measured.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Pairs of runs, ours and the plain one's, for each command.
    #[arg(long, default_value_t = 11)]
    pairs: usize,
    /// Seconds of a run, which is in slices.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Tasks that share the connection.
    #[arg(long, default_value_t = 64)]
    tasks: usize,
    /// Threads of the client's runtime.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Whose connections.
    #[arg(long, value_enum, default_value_t)]
    client: ClientName,
}

/// One kind of connection: with a static password, and with tokens.
pub(crate) trait Sides {
    type Plain: Caller + Clone + Sync;
    type Ours: Caller + Clone + Sync;

    fn plain(server: &Server, command: Command) -> impl Future<Output = Self::Plain> + Send;

    fn ours(
        server: &Server,
        command: Command,
        credentials: Credentials,
    ) -> impl Future<Output = Self::Ours> + Send;
}

/// What a loop sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Set,
    Get,
}

impl Command {
    pub(crate) const ALL: [Self; 2] = [Self::Set, Self::Get];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Set => "SET",
            Self::Get => "GET",
        }
    }
}

pub(crate) fn run(report: &mut Report, options: Options) {
    match options.client {
        ClientName::Redis => of::<redis::Sides>(report, options),
        ClientName::Fred => of::<fred::Sides>(report, options),
    }
}

fn of<S: Sides>(report: &mut Report, options: Options) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(options.threads.max(1))
        .enable_all()
        .build()
        .expect("a runtime");
    let server = Server::start();
    for command in Command::ALL {
        let pairs: Vec<[Run; 2]> = [First::Plain, First::Ours]
            .into_iter()
            .cycle()
            .take(options.pairs.max(1))
            .map(|first| runtime.block_on(pair::<S>(&server, command, options, first)))
            .collect();
        show(report, command.name(), &pairs, options);
    }
}

/// Ours over the plain one's, pair by pair.
fn ratios(pairs: &[[Run; 2]], figure: impl Fn(&Run) -> f64) -> Vec<f64> {
    let ratio = |[plain, ours]: &[Run; 2]| figure(ours) / figure(plain);
    pairs.iter().map(ratio).collect()
}

fn show(report: &mut Report, name: &str, pairs: &[[Run; 2]], options: Options) {
    let taken = |figure: fn(&Run) -> u64| pairs.iter().map(|[_, ours]| figure(ours)).sum::<u64>();
    let rotations = taken(|run| run.reauthenticated);
    let replaced = taken(|run| run.replaced);
    report.line(format!(
        "{}, {name}, {} pairs of {} s, {} tasks on one connection, {rotations} rotations while it was measured",
        options.client.name(),
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
    let throughput = line("commands a second", &Run::throughput, &|figure| {
        thousands(figure as u64)
    });
    line("CPU time of a command, ns", &Run::cost, &|nanos| {
        format!("{nanos:.0}")
    });
    let micros = |nanos: f64| format!("{:.0}", nanos / 1000.0);
    let latencies = QUANTILES.map(|quantile| {
        let title = format!("p{} of latency, µs", quantile * 100.0);
        line(&title, &|run| run.at(quantile), &micros)
    });
    report.table(&rows);
    report.target(
        Kind::Count,
        &format!("{name}: every rotation by AUTH on the connection"),
        &format!("{replaced} replaced"),
        rotations > 0 && replaced == 0,
    );
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
