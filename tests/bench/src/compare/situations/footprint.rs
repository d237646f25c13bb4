//! What a program takes to build with it.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::compare::bench::Bench;
use crate::compare::measured::Measured;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Side, Situation, no_plots};

pub(crate) const SITUATIONS: &[Situation] = &[Situation {
    name: "footprint",
    title: "Crates and cold build time",
    about: "What a small program with redis-rs, tokio and TLS has over the same without Entra \
            ID, as [`tests/bench/footprint`](../README.md#the-footprint) found it.",
    clients: Clients::Redis,
    rounds: Rounds::full(1),
    limit: Duration::from_secs(120),
    measure,
    plots: no_plots,
}];

static CRATES: Row = Row::lower("more crates", Unit::Count).in_short();
static CPU: Row = Row::lower("more CPU time of a build from nothing", Unit::Seconds).in_short();
static WALL: Row = Row::lower("more time of a build from nothing", Unit::Seconds);

fn measure(bench: &Bench) -> Measured {
    let text = match &bench.footprint {
        Some(text) => text.to_string(),
        None => crates_only(),
    };
    read(&text, bench.side).expect("a line for it")
}

/// Runs the script for what takes seconds.
fn crates_only() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("footprint");
    let ran = Command::new(script).arg("--crates").output();
    let output = ran.expect("bash runs it");
    assert!(output.status.success(), "the script failed");
    String::from_utf8(output.stdout).expect("text")
}

/// The differences in one side's line: crates, and times if it has some.
fn read(text: &str, side: Side) -> Option<Measured> {
    let mut lines = text.lines().map(str::split_whitespace);
    let line = lines.find(|line| line.clone().next() == Some(side.name()))?;
    let mut extra = line
        .filter(|cell| cell.starts_with(['+', '-']))
        .filter_map(|cell| cell.parse().ok());
    let mut measured = Measured::default().with(&CRATES, extra.next()?);
    for (row, value) in [&CPU, &WALL].into_iter().zip(extra) {
        measured = measured.with(row, value);
    }
    Some(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "\
program          crates      extra     CPU, s      extra    wall, s      extra
------------  ---------  ---------  ---------  ---------  ---------  ---------
plain                71                  93.0                  52.3           
built-in            150        +79      161.2      +68.2       87.5      +35.2
redis-authx          96        +25      123.5      +30.5       64.3      +12.0

target: at most half of the built-in's extra crates; found 0.32: met
";

    fn values(text: &str, side: Side) -> Option<Vec<f64>> {
        let figures = read(text, side)?.figures;
        Some(figures.iter().map(|figure| figure.value).collect())
    }

    #[test]
    fn reads_what_the_script_prints() {
        let found = [Side::BuiltIn, Side::Ours].map(|side| values(WHOLE, side));
        assert_eq!(found[0], Some(vec![79.0, 68.2, 35.2]));
        assert_eq!(found[1], Some(vec![25.0, 30.5, 12.0]));
        let crates = "redis-authx          96        +25\n";
        assert_eq!(values(crates, Side::Ours), Some(vec![25.0]));
        assert_eq!(values(crates, Side::BuiltIn), None);
    }
}
