//! Side by side with what a user would pick instead, in one run.

mod bench;
mod credential;
mod drip;
mod fred_clients;
mod load;
mod markdown;
mod measured;
mod options;
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
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::report::Report;
use bench::{Bench, Servers};
pub(crate) use options::Options;
use outcome::Outcome;
use situation::{Side, Situation};

/// Situations at a time, for `--smoke` …
const SMOKING: usize = 6;
/// … and of those that wait most of the time, for a full run.
const WAITING: usize = 4;

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
