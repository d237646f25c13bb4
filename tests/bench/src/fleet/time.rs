//! Simulated time: nanoseconds since the beginning.

use std::time::Duration;

/// A moment, or a span, of simulated time.
pub(super) type Nanos = u64;

pub(super) const SECOND: Nanos = 1_000_000_000;
pub(super) const MILLI: Nanos = 1_000_000;

pub(super) fn nanos(span: Duration) -> Nanos {
    Nanos::try_from(span.as_nanos()).unwrap_or(Nanos::MAX)
}

/// Something that lasts from one moment to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spell {
    pub(super) from: Nanos,
    pub(super) to: Nanos,
}

impl Spell {
    pub(super) const fn contains(&self, at: Nanos) -> bool {
        self.from <= at && at < self.to
    }

    /// Reads `16h+2h`: begins after 16 hours, lasts two.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (from, lasts) = text
            .split_once('+')
            .ok_or_else(|| format!("{text}: not of the form 16h+2h"))?;
        let from = nanos(span(from)?);
        Ok(Self {
            from,
            to: from.saturating_add(nanos(span(lasts)?)),
        })
    }
}

/// Reads `90m`, `30s`, `2h` or `500ms`.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| !c.is_ascii_digit());
    let (digits, unit) = text.split_at(split.unwrap_or(text.len()));
    let count: u64 = digits
        .parse()
        .map_err(|_| format!("{text}: no whole number"))?;
    let millis = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(format!("{text}: the unit is ms, s, m or h")),
    };
    let millis = count.checked_mul(millis);
    Ok(Duration::from_millis(
        millis.ok_or_else(|| format!("{text}: too long"))?,
    ))
}

/// For people: the two largest units.
pub(super) fn shown(span: Nanos) -> String {
    let seconds = span / SECOND;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) => format!("{} ms", span / MILLI),
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spells_are_read() {
        let spell = Spell::parse("16h+2h").unwrap();
        let hour = 3600 * SECOND;
        assert_eq!((spell.from, spell.to), (16 * hour, 18 * hour));
        assert!(spell.contains(17 * hour) && !spell.contains(18 * hour));
        for wrong in ["16h", "h+1h", "1d+1h", "1h+", "999999999999999999h+1h"] {
            assert!(Spell::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn spans_are_shown_in_two_units() {
        let shown = [5 * MILLI, 7 * SECOND, 90 * SECOND, 7260 * SECOND].map(shown);
        assert_eq!(shown, ["5 ms", "7 s", "1 min 30 s", "2 h 1 min"]);
    }
}
