//! One line of the comparison.

/// What one line shows, and how it is read.
#[derive(Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) title: &'static str,
    pub(crate) unit: Unit,
    pub(crate) better: Better,
    /// Whether it stands in the short table as well, which the README shows.
    pub(crate) in_short: bool,
}

/// What a figure counts, and so how it is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Bytes,
    PerSecond,
    PerHour,
    Micros,
    Millis,
    Seconds,
}

/// Which figure a reader would rather have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
    /// Neither: it is there to be seen.
    Shown,
}

impl Row {
    pub(crate) const fn lower(title: &'static str, unit: Unit) -> Self {
        Self::new(title, unit, Better::Lower)
    }

    pub(crate) const fn higher(title: &'static str, unit: Unit) -> Self {
        Self::new(title, unit, Better::Higher)
    }

    pub(crate) const fn shown(title: &'static str, unit: Unit) -> Self {
        Self::new(title, unit, Better::Shown)
    }

    /// In the short table too.
    pub(crate) const fn in_short(mut self) -> Self {
        self.in_short = true;
        self
    }

    const fn new(title: &'static str, unit: Unit, better: Better) -> Self {
        Self {
            title,
            unit,
            better,
            in_short: false,
        }
    }
}

impl Unit {
    /// What stands behind a figure.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Count => "",
            Self::Bytes => "B",
            Self::PerSecond => "/s",
            Self::PerHour => "/h",
            Self::Micros => "µs",
            Self::Millis => "ms",
            Self::Seconds => "s",
        }
    }

    /// A figure without its sign: three digits, or all of a whole number. What
    /// never came is infinite.
    pub(crate) fn show(self, figure: f64) -> String {
        if figure.is_infinite() {
            return "never".to_owned();
        }
        let whole = (figure - figure.round()).abs() < 1e-9;
        let digits = match figure.abs() {
            _ if whole => 0,
            0.0..1.0 => 3,
            1.0..10.0 => 2,
            10.0..100.0 => 1,
            _ => 0,
        };
        let text = format!("{figure:.digits$}");
        match text.parse::<u64>() {
            Ok(number) => crate::report::thousands(number),
            Err(_) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_three_digits_or_are_whole() {
        let shown = [
            0.0,
            0.0423,
            1.0,
            3.219,
            54.32,
            1234.5,
            54_321.0,
            f64::INFINITY,
        ]
        .map(|figure| Unit::Seconds.show(figure));
        let wanted = [
            "0", "0.042", "1", "3.22", "54.3", "1 234", "54 321", "never",
        ];
        assert_eq!(shown, wanted);
    }
}
