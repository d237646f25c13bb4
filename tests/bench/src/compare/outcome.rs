//! What a situation came to, for both sides.

use super::measured::Measured;
use super::row::{Better, Row};
use super::situation::{Side, Situation};
use crate::support::median;

/// Medians nearer than this to each other are the same.
const SAME: f64 = 0.01;

/// All runs of a situation.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) situation: Situation,
    runs: Vec<Run>,
}

/// One side, once.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) side: Side,
    pub(crate) round: usize,
    /// Or what stopped it.
    pub(crate) result: Result<Measured, String>,
}

/// The figures of one row.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) row: &'static Row,
    pub(crate) built_in: Samples,
    pub(crate) ours: Samples,
    /// Ours over the built-in's: the median of the rounds' ratios. `None` where
    /// there is no ratio.
    pub(crate) ratio: Option<f64>,
    pub(crate) verdict: Verdict,
}

/// One side's figures of one row, a round each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples {
    /// With their rounds.
    values: Vec<(usize, f64)>,
    /// What those look like that have words for it.
    words: Vec<(f64, String)>,
}

/// How ours did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Better,
    /// By the medians; each lies among the other side's samples.
    Even,
    Worse,
    /// Nothing to judge, or nothing to judge by.
    None,
}

impl Outcome {
    pub(crate) const fn new(situation: Situation) -> Self {
        Self {
            situation,
            runs: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// The runs that stopped, with what stopped them.
    pub(crate) fn failures(&self) -> Vec<(Side, &str)> {
        let failed = self.runs.iter().filter_map(|run| {
            let why = run.result.as_ref().err()?;
            Some((run.side, why.as_str()))
        });
        failed.collect()
    }

    /// The last good run of that side: what is drawn.
    pub(crate) fn last(&self, side: Side) -> Option<&Measured> {
        let mut runs = self.runs.iter().rev().filter(|run| run.side == side);
        runs.find_map(|run| run.result.as_ref().ok())
    }

    /// One line for each row that either side has a figure for.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let mut rows: Vec<&'static Row> = Vec::new();
        for measured in self.runs.iter().filter_map(|run| run.result.as_ref().ok()) {
            for figure in &measured.figures {
                if !rows.contains(&figure.row) {
                    rows.push(figure.row);
                }
            }
        }
        let line = |row| {
            Line::new(
                row,
                self.samples(row, Side::BuiltIn),
                self.samples(row, Side::Ours),
            )
        };
        rows.into_iter().map(line).collect()
    }

    fn samples(&self, row: &'static Row, side: Side) -> Samples {
        let mut samples = Samples::default();
        for run in self.runs.iter().filter(|run| run.side == side) {
            let Ok(measured) = &run.result else { continue };
            for figure in measured.figures.iter().filter(|figure| figure.row == row) {
                samples.values.push((run.round, figure.value));
                let words = figure.words.iter().cloned();
                samples
                    .words
                    .extend(words.map(|words| (figure.value, words)));
            }
        }
        samples
    }
}

impl Line {
    fn new(row: &'static Row, built_in: Samples, ours: Samples) -> Self {
        let pairs = built_in.values.iter().filter_map(|(round, theirs)| {
            let ours = ours.values.iter().find(|(other, _)| other == round)?.1;
            Some(ours / theirs).filter(|ratio| ratio.is_finite())
        });
        let ratios: Vec<f64> = pairs.collect();
        let ratio = (!ratios.is_empty()).then(|| median(ratios));
        let verdict = Verdict::of(row.better, &built_in, &ours);
        Self {
            row,
            built_in,
            ours,
            ratio,
            verdict,
        }
    }

    /// How often both sides were measured.
    pub(crate) fn rounds(&self) -> usize {
        self.built_in.values.len().min(self.ours.values.len())
    }
}

impl Samples {
    pub(crate) fn median(&self) -> Option<f64> {
        let values: Vec<f64> = self.values.iter().map(|(_, value)| *value).collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// What that one looked like, if it has words for it.
    pub(crate) fn words(&self, value: f64) -> Option<&str> {
        let mut words = self.words.iter();
        let (_, words) = words.find(|(of, _)| of.total_cmp(&value).is_eq())?;
        Some(words)
    }

    pub(crate) fn least(&self) -> f64 {
        let values = self.values.iter().map(|(_, value)| *value);
        values.fold(f64::INFINITY, f64::min)
    }

    pub(crate) fn most(&self) -> f64 {
        let values = self.values.iter().map(|(_, value)| *value);
        values.fold(f64::NEG_INFINITY, f64::max)
    }

    fn holds(&self, figure: f64) -> bool {
        (self.least()..=self.most()).contains(&figure)
    }
}

impl Verdict {
    fn of(better: Better, built_in: &Samples, ours: &Samples) -> Self {
        let (Some(theirs), Some(mine)) = (built_in.median(), ours.median()) else {
            return Self::None;
        };
        let near = theirs.is_finite() && (mine - theirs).abs() <= SAME * theirs.abs();
        let among = built_in.holds(mine) && ours.holds(theirs);
        match better {
            Better::Shown => Self::None,
            _ if mine == theirs || near || among => Self::Even,
            Better::Lower if mine < theirs => Self::Better,
            Better::Higher if mine > theirs => Self::Better,
            Better::Lower | Better::Higher => Self::Worse,
        }
    }

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Even => "even",
            Self::Worse => "WORSE",
            Self::None => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(values: &[f64]) -> Samples {
        Samples {
            values: values.iter().copied().enumerate().collect(),
            words: Vec::new(),
        }
    }

    fn verdict(better: Better, built_in: &[f64], ours: &[f64]) -> Verdict {
        Verdict::of(better, &samples(built_in), &samples(ours))
    }

    #[test]
    fn a_figure_that_is_worse_is_said_to_be() {
        assert_eq!(verdict(Better::Lower, &[1.0], &[2.0]), Verdict::Worse);
        assert_eq!(verdict(Better::Higher, &[1.0], &[2.0]), Verdict::Better);
        assert_eq!(verdict(Better::Lower, &[0.0], &[1.0]), Verdict::Worse);
        let never = [f64::INFINITY];
        assert_eq!(verdict(Better::Lower, &[3.0], &never), Verdict::Worse);
        assert_eq!(verdict(Better::Lower, &never, &[3.0]), Verdict::Better);
        assert_eq!(verdict(Better::Lower, &never, &never), Verdict::Even);
        assert_eq!(verdict(Better::Shown, &[1.0], &[2.0]), Verdict::None);
        assert_eq!(verdict(Better::Lower, &[1.0], &[]), Verdict::None);
    }

    #[test]
    fn noise_is_no_difference() {
        let (built_in, ours) = ([10.0, 12.0, 14.0], [9.0, 13.0, 15.0]);
        assert_eq!(verdict(Better::Lower, &built_in, &ours), Verdict::Even);
        assert_eq!(verdict(Better::Lower, &[100.0], &[100.9]), Verdict::Even);
        assert_eq!(verdict(Better::Lower, &[100.0], &[101.1]), Verdict::Worse);
    }

    #[test]
    fn ratios_are_of_one_round() {
        static ROW: Row = Row::lower("time", super::super::row::Unit::Seconds);
        let line = Line::new(&ROW, samples(&[1.0, 2.0, 4.0]), samples(&[2.0, 4.0, 4.0]));
        assert_eq!((line.ratio, line.rounds()), (Some(2.0), 3));
        let line = Line::new(&ROW, samples(&[0.0]), samples(&[2.0]));
        assert_eq!(line.ratio, None);
    }
}
