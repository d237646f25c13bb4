//! The comparison as a text for a terminal.

use super::outcome::{Line, Outcome, Samples};
use super::row::Unit;
use super::situation::Clients;
use crate::report::{Report, row};

/// One table for each situation, and what did not end.
pub(crate) fn print(report: &mut Report, outcomes: &[Outcome]) {
    for clients in Clients::ALL {
        let of = |outcome: &&Outcome| outcome.situation.clients == clients;
        let mut those = outcomes.iter().filter(of).peekable();
        if those.peek().is_some() {
            report.line(clients.title());
            report.line("");
        }
        those.for_each(|outcome| one(report, outcome));
    }
}

fn one(report: &mut Report, outcome: &Outcome) {
    let situation = &outcome.situation;
    let mut rows = vec![row([
        situation.title,
        "built-in",
        "redis-authx",
        "ratio",
        "rounds",
        "ours is",
    ])];
    for line in outcome.lines() {
        let cells = [
            line.row.title,
            &range(line.row.unit, &line.built_in),
            &range(line.row.unit, &line.ours),
            &ratio(&line),
            &line.rounds().to_string(),
            line.verdict.word(),
        ];
        rows.push(row(cells));
    }
    report.table(&rows);
    for (side, why) in outcome.failures() {
        report.line(format!("{}, {}: {why}", situation.name, side.name()));
    }
}

/// The median, and in brackets the least and the most.
pub(crate) fn range(unit: Unit, samples: &Samples) -> String {
    let Some(median) = samples.median() else {
        return "–".to_owned();
    };
    let (least, most) = (samples.least(), samples.most());
    let shown = middle(unit, median, samples);
    if least == most {
        shown
    } else {
        format!("{shown} ({} to {})", unit.show(least), unit.show(most))
    }
}

/// The median alone.
pub(crate) fn short(unit: Unit, samples: &Samples) -> String {
    let median = samples.median();
    median.map_or_else(|| "–".to_owned(), |median| middle(unit, median, samples))
}

fn middle(unit: Unit, median: f64, samples: &Samples) -> String {
    let figure = unit.show(median);
    if let Some(words) = samples.words(median) {
        words.to_owned()
    } else if median.is_infinite() || unit.sign().is_empty() {
        figure
    } else if unit == Unit::PerSecond || unit == Unit::PerHour {
        format!("{figure}{}", unit.sign())
    } else {
        format!("{figure} {}", unit.sign())
    }
}

pub(crate) fn ratio(line: &Line) -> String {
    line.ratio.map_or_else(String::new, |ratio| match ratio {
        0.0 => "0".to_owned(),
        0.0..0.01 => format!("{ratio:.4}"),
        ratio if ratio >= 100.0 => format!("{ratio:.0}"),
        ratio => format!("{ratio:.2}"),
    })
}
