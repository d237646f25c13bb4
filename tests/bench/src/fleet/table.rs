//! The figures of both sides, and what is to be seen in them.

use super::options::Options;
use super::recovery::{Outage, SHARES};
use super::server::Outcome;
use super::simulation::Ending;
use super::tally::exact;
use super::time::{nanos, shown};
use crate::report::{Kind, Report, row, thousands};

pub(super) fn print(report: &mut Report, options: &Options, endings: &[Ending; 2]) {
    head(report, options);
    let mut rows = vec![row(["", "redis-authx", "built-in"])];
    let mut add = |what: &str, figure: &dyn Fn(&Ending) -> String| {
        rows.push(row([what, &figure(&endings[0]), &figure(&endings[1])]));
    };
    let count = |figure: fn(&Ending) -> u64| move |ending: &Ending| thousands(figure(ending));
    add("token requests", &count(|e| e.world.tally.requests.total));
    add(
        "  most in a second",
        &count(|e| e.world.tally.requests.peak()),
    );
    add("  throttled (429)", &count(|e| e.world.tally.throttled));
    add("  failed in an outage", &count(|e| e.world.tally.down));
    add("AUTHs", &count(|e| e.world.tally.auths.total));
    add("  most in a second", &count(|e| e.world.tally.auths.peak()));
    add("  to log in", &count(|e| e.world.tally.logins));
    add(
        "  with the same token again",
        &count(|e| e.world.tally.repeats),
    );
    add(
        "  timed out",
        &count(|e| e.world.tally.of(Outcome::TimedOut)),
    );
    add("  failed or refused", &|ending| {
        let tally = &ending.world.tally;
        thousands(tally.of(Outcome::Failed) + tally.of(Outcome::Refused))
    });
    add("  wait, 99 % within", &|ending| {
        exact(ending.world.tally.waits.percentile(99))
    });
    add("connections lost by expiry", &count(|e| e.world.tally.lost));
    add(
        "  with a valid token in hand",
        &count(|e| e.world.tally.lost_needlessly),
    );
    add("connections up at the end", &|ending| {
        share(ending.world.open_links(), options.links())
    });
    add(
        "processes without renewal at the end",
        &count(|e| e.without_renewal),
    );
    add("processes with a valid token at the end", &|ending| {
        share(ending.world.recovery.valid(), options.processes)
    });
    for (number, outage) in options.outage.iter().enumerate() {
        let of = |ending: &Ending| ending.world.recovery.outages().get(number).cloned();
        let (at, lasts) = (shown(outage.from), shown(outage.to - outage.from));
        add(
            &format!("outage at {at} of {lasts}: fewest with a token"),
            &|e| {
                of(e).map_or_else(String::new, |outage| {
                    share(outage.fewest, options.processes)
                })
            },
        );
        for (number, percent) in SHARES.iter().enumerate() {
            add(&format!("  {percent} % back after"), &|ending| {
                of(ending).map_or_else(String::new, |outage| back(&outage, number))
            });
        }
    }
    add("events simulated", &count(|e| e.world.queue.added()));
    report.table(&rows);
    targets(report, options, endings);
    report.line("");
}

fn head(report: &mut Report, options: &Options) {
    report.line(format!(
        "{} processes of {} connections, {} h; tokens of {} to {}; \
         at most {} token requests/s (429: Retry-After {}), {} AUTHs/s; {} of the AUTHs fail",
        thousands(options.processes.into()),
        options.connections,
        options.hours,
        shown(nanos(options.shortest)),
        shown(nanos(options.longest)),
        options.token_rate.unwrap_or(0),
        shown(nanos(options.retry_after)),
        options.auth_rate.unwrap_or(0),
        options.auth_failures,
    ));
    let spells = options
        .outage
        .iter()
        .map(|outage| ("identity service down", outage));
    let stalls = options.stall.iter().map(|stall| ("AUTHs stall", stall));
    for (what, spell) in spells.chain(stalls) {
        let (at, lasts) = (shown(spell.from), shown(spell.to - spell.from));
        report.line(format!("{what}: after {at}, for {lasts}"));
    }
    report.line(format!("again: {}", command(options)));
    report.line("");
}

/// The command line that repeats it.
fn command(options: &Options) -> String {
    let millis = |span: std::time::Duration| format!("{}ms", span.as_millis());
    let mut words = vec![format!(
        "fleet --seed {} --processes {} --connections {} --hours {} --ramp {} --shortest {} \
         --longest {} --token-rate {} --retry-after {} --auth-rate {} --auth-failures {}",
        options.seed,
        options.processes,
        options.connections,
        options.hours,
        millis(options.ramp),
        millis(options.shortest),
        millis(options.longest),
        options.token_rate.unwrap_or(1),
        millis(options.retry_after),
        options.auth_rate.unwrap_or(1),
        options.auth_failures,
    )];
    for (flag, spells) in [("--outage", &options.outage), ("--stall", &options.stall)] {
        words.extend(spells.iter().map(|spell| {
            let (from, lasts) = (spell.from / 1_000_000, (spell.to - spell.from) / 1_000_000);
            format!("{flag} {from}ms+{lasts}ms")
        }));
    }
    if options.quiet {
        words.push("--quiet".to_owned());
    }
    words.join(" ")
}

fn targets(report: &mut Report, options: &Options, endings: &[Ending; 2]) {
    let ours = &endings[0];
    for (side, ending) in ["redis-authx", "built-in"].iter().zip(endings) {
        let checks = &ending.world.checks;
        for (what, times) in checks.broken() {
            report.line(format!("broken: {what}, {times} times"));
        }
        report.target(
            Kind::Count,
            &format!("{side}: all of {} checks hold", thousands(checks.made())),
            &format!("{} broken", checks.broken().len()),
            checks.broken().is_empty(),
        );
    }
    let without = ours.without_renewal;
    report.target(
        Kind::Count,
        "redis-authx: no process without renewal",
        &thousands(without),
        without == 0,
    );
    if options.outage.is_empty() {
        let lost = ours.world.tally.lost;
        report.target(
            Kind::Count,
            "redis-authx: no connection lost without an outage",
            &thousands(lost),
            lost == 0,
        );
    }
}

fn share(count: u64, of: u32) -> String {
    format!("{:.2} %", 100.0 * count as f64 / f64::from(of.max(1)))
}

fn back(outage: &Outage, share: usize) -> String {
    match outage.back_after(share) {
        None => "never".to_owned(),
        Some(0) => "at once".to_owned(),
        Some(late) => shown(late),
    }
}
