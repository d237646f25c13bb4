//! Side by side with what a user would pick instead, in one run.

mod bench;
mod credential;
mod drip;
mod fred_clients;
mod load;
mod markdown;
mod measured;
mod outcome;
mod plan;
mod plot;
mod redis_clients;
mod rounds;
mod row;
mod situation;
mod situations;
mod table;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use clap::Args;

use crate::report::Report;
use bench::{Bench, Servers};
use outcome::Outcome;
use situation::{Side, Situation};

/// Situations at a time, for `--smoke` …
const SMOKING: usize = 6;
/// … and of those that wait most of the time, for a full run.
const WAITING: usize = 4;

/// What is compared, and where it is written.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Every situation once and in short: shows that it runs, and fails if a part
    /// of it doesn't. Writes no files unless told where.
    #[arg(long)]
    smoke: bool,
    /// Only situations whose name begins so; may be repeated.
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Rounds of each situation, instead of its own number.
    #[arg(long)]
    rounds: Option<usize>,
    /// The folder for `comparison.md` and the plots [default: that of
    /// `tests/bench/results` beside this crate, for a full run].
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// What `tests/bench/footprint` printed, for build times; without it a full
    /// run counts crates only.
    #[arg(long, value_name = "FILE")]
    footprint: Option<PathBuf>,
    /// A README whose short table is to be brought up to date.
    #[arg(long, value_name = "FILE")]
    readme: Option<PathBuf>,
}

impl Options {
    fn takes(&self, situation: &Situation) -> bool {
        // Without its output the script needs the network.
        if self.smoke && self.footprint.is_none() && situation.name == "footprint" {
            return false;
        }
        let begins = |name: &String| situation.name.starts_with(name.as_str());
        self.only.is_empty() || self.only.iter().any(begins)
    }

    fn rounds(&self, situation: &Situation) -> usize {
        let own = match self.smoke {
            true => situation.rounds.smoke,
            false => situation.rounds.full,
        };
        self.rounds.unwrap_or(own).max(1)
    }

    fn folder(&self) -> Option<PathBuf> {
        let full = !self.smoke && self.only.is_empty();
        let checked_in = || full.then(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("results"));
        self.out.clone().or_else(checked_in)
    }
}

/// Runs it all.
pub(crate) fn run(report: &mut Report, options: &Options) -> Result<(), Box<dyn Error>> {
    let footprint = options
        .footprint
        .as_ref()
        .map(fs::read_to_string)
        .transpose()?;
    let bench = Bench {
        side: Side::Ours,
        smoke: options.smoke,
        limit: Duration::ZERO,
        footprint: footprint.map(Arc::from),
        servers: Arc::new(Servers::new()),
    };
    let outcomes = go_through(options, &bench);
    table::print(report, &outcomes);
    if let Some(folder) = options.folder() {
        write(&folder, options, &outcomes)?;
    }
    if let Some(readme) = &options.readme {
        markdown::update(readme, &markdown::in_short(&outcomes))?;
    }
    // What is run to see that it runs has to run.
    if options.smoke
        && outcomes
            .iter()
            .any(|outcome| !outcome.failures().is_empty())
    {
        return Err("not every run came to its end: see below its table".into());
    }
    Ok(())
}

/// Those of speed one after the other, the rest a few at once; all at once for
/// `--smoke`, whose figures mean nothing.
fn go_through(options: &Options, bench: &Bench) -> Vec<Outcome> {
    let [timed, waiting] = [situations::TIMED, situations::WAITING].map(|some| {
        let all = some.iter().copied().flatten();
        let chosen = all.filter(|situation| options.takes(situation));
        chosen.collect::<Vec<_>>()
    });
    if options.smoke {
        return at_once(SMOKING, &[timed, waiting].concat(), options, bench);
    }
    let mut outcomes = at_once(1, &timed, options, bench);
    outcomes.extend(at_once(WAITING, &waiting, options, bench));
    outcomes
}

/// So many situations at a time.
fn at_once(
    workers: usize,
    situations: &[&Situation],
    options: &Options,
    bench: &Bench,
) -> Vec<Outcome> {
    let next = Mutex::new(situations.iter().enumerate());
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let taken = next.lock().expect("no panic").next();
            let Some((number, situation)) = taken else {
                break;
            };
            let rounds = options.rounds(situation);
            eprintln!("{}: {rounds} round(s)", situation.name);
            let outcome = rounds::go_through(situation, rounds, bench);
            done.lock().expect("no panic").push((number, outcome));
        }
    };
    thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let mut done = done.into_inner().expect("no panic");
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

fn write(folder: &Path, options: &Options, outcomes: &[Outcome]) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let mut names = Vec::new();
    for outcome in outcomes {
        let plots = (outcome.situation.plots)(outcome);
        plots.iter().try_for_each(|plot| plot.write(folder))?;
        names.push(plots.into_iter().map(|plot| plot.name).collect());
    }
    let page = markdown::page(&head(options), outcomes, &names);
    fs::write(folder.join("comparison.md"), page)?;
    Ok(())
}

/// What was run, and on what.
fn head(options: &Options) -> String {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let smoke = if options.smoke { ", smoke" } else { "" };
    format!(
        "Written by `cargo run --release -p redis-authx-bench -- compare`; \
         [how to read it](../README.md#side-by-side). \
         redis-rs 1.8, fred 10.1, profile {profile}{smoke}, {cores} cores."
    )
}
