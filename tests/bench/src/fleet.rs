//! A fleet of processes on simulated time, by our rules and by those of the
//! redis-rs built-in, side by side.

mod builtin;
mod checks;
mod identity;
mod options;
mod ours;
mod outages;
mod queue;
mod recovery;
mod server;
mod simulation;
mod table;
mod tally;
mod time;
mod world;

use std::thread;
use std::time::Duration;

use redis_authx::ExponentialBackoff;

pub(crate) use options::Options;

use crate::report::Report;
use builtin::Builtin;
use ours::Ours;
use simulation::{Ending, simulate};

pub(crate) fn run(report: &mut Report, options: Options) {
    let smoke = options.smoke;
    let outages = options.outages;
    let options = options.resolved();
    if outages {
        return outages::run(report, options.processes);
    }
    if smoke {
        let quiet = options.clone().quieted();
        table::print(report, &quiet, &both(&quiet));
    }
    table::print(report, &options, &both(&options));
}

/// Ours and the built-in's, on a core each.
fn both(options: &Options) -> [Ending; 2] {
    thread::scope(|scope| {
        let builtin = scope.spawn(|| simulate(options, |_| Builtin::new(options)));
        let ours = simulate(options, |_| Ours::new(options));
        match builtin.join() {
            Ok(builtin) => [ours, builtin],
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// The waits between two tries to log in: the defaults of `ReauthPolicy`,
/// granted to both sides.
fn reconnecting() -> ExponentialBackoff {
    ExponentialBackoff::builder()
        .initial_delay(Duration::from_millis(100))
        .max_delay(Duration::from_secs(5))
        .build()
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
