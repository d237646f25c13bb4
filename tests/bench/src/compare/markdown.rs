//! The comparison as Markdown: `comparison.md`, and its short form for the
//! README.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::outcome::{Line, Outcome, Verdict};
use super::situation::Clients;
use super::table::{range, ratio, short};

/// What the short table stands between, here and in the README.
pub(crate) const BEGIN: &str = "<!-- comparison: written by `compare` -->";
pub(crate) const END: &str = "<!-- end of comparison -->";

const HEAD: &str = "| situation | | built-in | redis-authx | ours is |\n|---|---|---:|---:|---|\n";

/// The whole page. `plots` are the names of a situation's files.
pub(crate) fn page(head: &str, outcomes: &[Outcome], plots: &[Vec<String>]) -> String {
    let mut page = format!(
        "# Side by side\n\n{head}\n\n## In short\n\n{}\n",
        in_short(outcomes)
    );
    for clients in Clients::ALL {
        let of = |(outcome, _): &(&Outcome, &Vec<String>)| outcome.situation.clients == clients;
        let mut those = outcomes.iter().zip(plots).filter(of).peekable();
        if those.peek().is_some() {
            let _ = write!(page, "\n## {}\n", clients.title());
        }
        for (outcome, plots) in those {
            chapter(&mut page, outcome, plots);
        }
    }
    page
}

/// The rows that say the most, between the marks.
pub(crate) fn in_short(outcomes: &[Outcome]) -> String {
    let mut text = format!("{BEGIN}\n{HEAD}");
    let of = |clients| {
        outcomes
            .iter()
            .filter(move |one| one.situation.clients == clients)
    };
    for outcome in Clients::ALL.into_iter().flat_map(of) {
        let lines = outcome.lines();
        for line in lines.iter().filter(|line| line.row.in_short) {
            let cells = [
                match outcome.situation.clients {
                    Clients::Redis => outcome.situation.title.to_owned(),
                    Clients::Fred => format!("fred: {}", outcome.situation.title),
                },
                line.row.title.to_owned(),
                short(line.row.unit, &line.built_in),
                short(line.row.unit, &line.ours),
                verdict(line),
            ];
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
    }
    text.push_str(END);
    text
}

/// Puts `table` in the place of the one in `readme`.
pub(crate) fn update(readme: &Path, table: &str) -> Result<(), Box<dyn Error>> {
    let text = fs::read_to_string(readme)?;
    let old = between_marks(&text).ok_or("no marks to write between")?;
    fs::write(readme, text.replacen(old, table, 1))?;
    Ok(())
}

/// The short table in a text, with its marks.
pub(crate) fn between_marks(text: &str) -> Option<&str> {
    let begin = text.find(BEGIN)?;
    let length = text[begin..].find(END)? + END.len();
    Some(&text[begin..begin + length])
}

fn chapter(page: &mut String, outcome: &Outcome, plots: &[String]) {
    let situation = &outcome.situation;
    let (title, about, name) = (situation.title, situation.about, situation.name);
    let _ = write!(page, "\n### {title}\n\n{about} (`--only {name}`)\n\n");
    page.push_str("| | built-in | redis-authx | ratio | rounds | ours is |\n");
    page.push_str("|---|---:|---:|---:|---:|---|\n");
    for line in outcome.lines() {
        let cells = [
            line.row.title.to_owned(),
            range(line.row.unit, &line.built_in),
            range(line.row.unit, &line.ours),
            ratio(&line),
            line.rounds().to_string(),
            verdict(&line),
        ];
        let _ = writeln!(page, "| {} |", cells.join(" | "));
    }
    for (side, why) in outcome.failures() {
        let _ = write!(page, "\n{}: {why}\n", side.name());
    }
    for plot in plots {
        let _ = write!(page, "\n![{}]({plot}.svg)\n", situation.title);
    }
}

fn verdict(line: &Line) -> String {
    match line.verdict {
        Verdict::Worse => "**worse**".to_owned(),
        other => other.word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::measured::Measured;
    use crate::compare::outcome::Run;
    use crate::compare::row::{Row, Unit};
    use crate::compare::situation::{Rounds, Side, Situation, no_plots};

    static TIME: Row = Row::lower("time", Unit::Millis).in_short();
    static COUNT: Row = Row::higher("count", Unit::Count);

    fn outcome(runs: Vec<(Side, Result<Measured, String>)>) -> Outcome {
        let mut outcome = Outcome::new(Situation {
            name: "name",
            title: "Title",
            about: "What is done.",
            clients: Clients::Redis,
            rounds: Rounds::full(1),
            limit: std::time::Duration::ZERO,
            measure: |_| Measured::default(),
            plots: no_plots,
        });
        for (round, (side, result)) in runs.into_iter().enumerate() {
            let round = round / 2;
            outcome.add(Run {
                side,
                round,
                result,
            });
        }
        outcome
    }

    #[test]
    fn a_row_where_ours_is_worse_says_so_everywhere() {
        let figures = |time, count| Ok(Measured::default().with(&TIME, time).with(&COUNT, count));
        let outcome = outcome(vec![
            (Side::BuiltIn, figures(2.0, 7.0)),
            (Side::Ours, figures(3.0, 9.0)),
            (Side::BuiltIn, figures(2.0, 7.0)),
            (Side::Ours, figures(4.0, 9.0)),
        ]);
        let page = page("Head.", &[outcome], &[vec!["plot".to_owned()]]);
        let whole = "| time | 2 ms | 4 ms (3 to 4) | 2.00 | 2 | **worse** |\n";
        assert!(page.contains(whole), "{page}");
        assert!(page.contains("| count | 7 | 9 | 1.29 | 2 | better |\n"));
        assert!(page.contains("![Title](plot.svg)"));
        let short = format!("{HEAD}| Title | time | 2 ms | 4 ms | **worse** |\n{END}");
        assert!(between_marks(&page).is_some_and(|table| table.ends_with(&short)));
    }

    #[test]
    fn a_run_that_did_not_end_is_said_to() {
        let outcome = outcome(vec![
            (Side::BuiltIn, Err("hangs".to_owned())),
            (Side::Ours, Ok(Measured::default().with(&TIME, 3.0))),
        ]);
        let page = page("Head.", &[outcome], &[Vec::new()]);
        assert!(page.contains("| time | – | 3 ms |  | 0 |  |\n\nbuilt-in: hangs\n"));
    }

    /// After a full run: `--readme README.md`.
    #[test]
    fn the_readme_has_the_short_table_of_the_last_full_run() {
        let results = include_str!("../../results/comparison.md");
        let readme = include_str!("../../../../README.md");
        let table = between_marks(results);
        assert!(table.is_some_and(|table| table.lines().count() > 10));
        assert_eq!(between_marks(readme), table);
        assert!(results.contains("profile release, "));
    }
}
