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
    let mut text = format!("{BEGIN}\n| situation | | built-in | redis-authx | ours is |\n");
    text.push_str("|---|---|---:|---:|---|\n");
    for outcome in outcomes {
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
    let _ = write!(page, "\n### {}\n\n{}\n\n", situation.title, situation.about);
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
