//! What one run of one side showed.

use std::collections::BTreeMap;

use super::row::Row;

/// Figures, in the order in which they are to be shown, and what is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measured {
    pub(crate) figures: Vec<Figure>,
    series: BTreeMap<&'static str, Vec<(f64, f64)>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) row: &'static Row,
    pub(crate) value: f64,
    /// What it looked like, where a figure does not tell.
    pub(crate) words: Option<String>,
}

impl Measured {
    /// Adds a figure; [`f64::INFINITY`] for what never came.
    #[must_use]
    pub(crate) fn with(mut self, row: &'static Row, value: f64) -> Self {
        self.figures.push(Figure {
            row,
            value,
            words: None,
        });
        self
    }

    /// Adds a figure that is shown with words.
    #[must_use]
    pub(crate) fn in_words(
        mut self,
        row: &'static Row,
        value: f64,
        words: impl Into<String>,
    ) -> Self {
        self.figures.push(Figure {
            row,
            value,
            words: Some(words.into()),
        });
        self
    }

    /// Adds how many of `all` there were.
    #[must_use]
    pub(crate) fn of(self, row: &'static Row, count: usize, all: usize) -> Self {
        self.in_words(row, count as f64, format!("{count} of {all}"))
    }

    /// Adds points for a plot.
    #[must_use]
    pub(crate) fn series(mut self, name: &'static str, points: Vec<(f64, f64)>) -> Self {
        self.series.insert(name, points);
        self
    }

    /// The points of that name; none if there are none.
    pub(crate) fn points(&self, name: &str) -> &[(f64, f64)] {
        self.series.get(name).map_or(&[], Vec::as_slice)
    }
}
