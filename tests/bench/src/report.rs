//! Plain tables, and targets beside the figures that they are for.

use std::fmt;

/// What a bench prints.
#[derive(Debug, Default)]
pub(crate) struct Report {
    lines: Vec<String>,
    missed_a_count: bool,
}

/// Whether a figure repeats exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The same in every run: a miss is a fault.
    Count,
    /// As noisy as the machine: for people to judge.
    Time,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// A table: the first row is its head, the first column is for words and
    /// the others for figures.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells
                .map(|cell: &String| cell.chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for (number, row) in rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate();
            let line: Vec<String> = cells
                .map(|(column, (cell, width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                })
                .collect();
            self.line(line.join("  ").trim_end());
            if number == 0 {
                let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
                self.line(rule.join("  "));
            }
        }
        self.line("");
    }

    /// A target, what was found, and whether that meets it.
    pub(crate) fn target(&mut self, kind: Kind, target: &str, found: &str, met: bool) {
        let verdict = if met { "met" } else { "MISSED" };
        self.line(format!("target: {target}; found {found}: {verdict}"));
        self.missed_a_count |= kind == Kind::Count && !met;
    }

    pub(crate) const fn missed_a_count(&self) -> bool {
        self.missed_a_count
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A row of a table.
pub(crate) fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

/// With a space between thousands: 1 234 567.
pub(crate) fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut report = Report::new();
        report.table(&[row(["", "n"]), row(["long name", "12"]), row(["x", "3"])]);
        let lines = "            n\n---------  --\nlong name  12\nx           3\n\n";
        assert_eq!(report.to_string(), lines);
    }

    #[test]
    fn only_a_missed_count_fails() {
        let mut report = Report::new();
        report.target(Kind::Time, "fast", "slow", false);
        report.target(Kind::Count, "0", "0", true);
        assert!(!report.missed_a_count());
        report.target(Kind::Count, "0", "1", false);
        assert!(report.missed_a_count());
        assert!(report.to_string().ends_with("target: 0; found 1: MISSED\n"));
    }

    #[test]
    fn thousands_are_set_apart() {
        let shown = [0, 999, 1_000, 1_234_567].map(thousands);
        assert_eq!(shown, ["0", "999", "1 000", "1 234 567"]);
    }
}
