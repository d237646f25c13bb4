use std::time::Duration;

use arbitrary::Unstructured;

/// Where a walk's choices come from: a seed, or a fuzzer's input.
pub(crate) trait Choices {
    /// A number below `limit`.
    fn below(&mut self, limit: u64) -> u64;

    /// Whether there are no more.
    fn are_spent(&self) -> bool;

    fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[usize::try_from(self.below(values.len() as u64)).expect("an index")]
    }

    fn millis(&mut self, limit: u64) -> Duration {
        Duration::from_millis(self.below(limit))
    }

    /// Any duration, the ends of the scale among them.
    fn duration(&mut self) -> Duration {
        let count = self.below(1000);
        match self.below(9) {
            0 => Duration::from_nanos(count),
            1 => Duration::from_micros(count),
            2 | 3 => Duration::from_millis(count),
            4 | 5 => Duration::from_secs(count),
            6 => Duration::from_secs(60 * count),
            7 => Duration::from_secs(24 * 3600 * count),
            _ => Duration::MAX,
        }
    }
}

impl Choices for fastrand::Rng {
    fn below(&mut self, limit: u64) -> u64 {
        self.u64(..limit)
    }

    fn are_spent(&self) -> bool {
        false
    }
}

impl Choices for Unstructured<'_> {
    fn below(&mut self, limit: u64) -> u64 {
        self.int_in_range(0..=limit - 1).unwrap_or(0)
    }

    fn are_spent(&self) -> bool {
        self.is_empty()
    }
}
