//! What redis-authx costs, and how a fleet fares with it, side by side with
//! what users would pick instead. `README.md` explains each command.

mod closed_loop;
mod compare;
mod current;
mod fleet;
mod fred;
mod idle;
mod lifetimes;
mod redis;
mod report;
mod stagger;
mod subscribers;
mod support;
mod throughput;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use report::Report;

/// Benchmarks. Figures are ratios and counts of one run.
#[derive(Debug, Parser)]
#[command(name = "redis-authx-bench")]
struct Arguments {
    /// Fail when a target that is a count is missed. Times never fail.
    #[arg(long, global = true)]
    check: bool,
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// This project and what a user would pick instead, through the same
    /// situations.
    Compare(Box<compare::Options>),
    /// Reading the current token, against a clone of it behind a lock.
    Current,
    /// A fleet in simulated time, by our rules and by the built-in's.
    Fleet(Box<fleet::Options>),
    /// The heap of a connection of redis-rs, against one with a static password.
    Heap,
    /// Wake-ups while a token is held.
    Idle,
    /// Token lifetimes through the real driver, in simulated time.
    Lifetimes,
    /// One rotation of many connections, as the server sees it.
    Stagger(stagger::Options),
    /// One rotation to 100,000 subscribers, against as many channels.
    Subscribers,
    /// GET and SET, rotating every second, against a static password.
    Throughput(throughput::Options),
}

fn main() -> ExitCode {
    let Arguments { check, bench } = Arguments::parse();
    let mut report = Report::new();
    match bench {
        Bench::Compare(options) => {
            if let Err(error) = compare::run(&mut report, &options) {
                print!("{report}");
                eprintln!("{error}");
                return ExitCode::FAILURE;
            }
        }
        Bench::Current => current::run(&mut report),
        Bench::Fleet(options) => fleet::run(&mut report, *options),
        Bench::Heap => redis::heap::run(&mut report),
        Bench::Idle => idle::run(&mut report),
        Bench::Lifetimes => lifetimes::run(&mut report),
        Bench::Stagger(options) => stagger::run(&mut report, options),
        Bench::Subscribers => subscribers::run(&mut report),
        Bench::Throughput(options) => throughput::run(&mut report, options),
    }
    print!("{report}");
    if check && report.missed_a_count() {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
