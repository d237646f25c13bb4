//! What is counted.

use super::server::Outcome;
use super::time::{MILLI, Nanos, SECOND};

/// The figures of one simulated fleet.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) requests: Rate,
    pub(super) issued: u64,
    pub(super) throttled: u64,
    pub(super) down: u64,
    /// Answers that nobody waited for any more.
    pub(super) late: u64,
    pub(super) auths: Rate,
    pub(super) logins: u64,
    /// AUTHs with a token that the connection already had.
    pub(super) repeats: u64,
    pub(super) waits: Histogram,
    outcomes: [u64; Outcome::ALL.len()],
    /// Connections closed by the server because their token expired …
    pub(super) lost: u64,
    /// … while the process held a valid one.
    pub(super) lost_needlessly: u64,
}

impl Tally {
    pub(super) fn ended(&mut self, outcome: Outcome) {
        self.outcomes[outcome as usize] += 1;
    }

    pub(super) fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes[outcome as usize]
    }

    pub(super) fn all_ended(&self) -> u64 {
        self.outcomes.iter().sum()
    }
}

/// A count for every second.
#[derive(Debug, Default)]
pub(super) struct Rate {
    seconds: Vec<u32>,
    pub(super) total: u64,
}

impl Rate {
    pub(super) fn count(&mut self, now: Nanos) {
        let second = usize::try_from(now / SECOND).unwrap_or(usize::MAX);
        if self.seconds.len() <= second {
            self.seconds.resize(second + 1, 0);
        }
        self.seconds[second] += 1;
        self.total += 1;
    }

    /// The most in a second.
    pub(super) fn peak(&self) -> u64 {
        self.seconds.iter().max().copied().unwrap_or(0).into()
    }
}

/// Times, kept to a 32nd of themselves.
#[derive(Debug)]
pub(super) struct Histogram {
    buckets: Vec<u64>,
    total: u64,
}

const STEPS: u64 = 32;

impl Histogram {
    pub(super) fn add(&mut self, wait: Nanos) {
        let micros = wait / 1_000;
        let bucket = if micros < STEPS {
            micros
        } else {
            let power = u64::from(micros.ilog2()) - u64::from(STEPS.ilog2());
            (power + 1) * STEPS + (micros >> power) - STEPS
        };
        self.buckets[bucket as usize] += 1;
        self.total += 1;
    }

    /// What so many in a hundred did not exceed.
    pub(super) fn percentile(&self, share: u64) -> Nanos {
        let wanted = (self.total * share).div_ceil(100);
        let mut seen = 0;
        let reached = self.buckets.iter().position(|count| {
            seen += count;
            seen >= wanted
        });
        let bucket = reached.unwrap_or(0) as u64;
        let micros = match bucket / STEPS {
            0 => bucket,
            group => (STEPS + bucket % STEPS) << (group - 1),
        };
        micros * 1_000
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: vec![0; (STEPS * 61) as usize],
            total: 0,
        }
    }
}

/// A time that may be below a second.
pub(super) fn exact(span: Nanos) -> String {
    match span {
        0..MILLI => format!("{} µs", span / 1_000),
        MILLI..SECOND => format!("{:.1} ms", span as f64 / MILLI as f64),
        _ => format!("{:.1} s", span as f64 / SECOND as f64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_a_32nd() {
        let mut histogram = Histogram::default();
        (1..=100_000u64).for_each(|micros| histogram.add(micros * 1_000));
        for share in [1, 50, 99, 100] {
            let (found, right) = (histogram.percentile(share), share * 1_000_000);
            assert!(
                found <= right && right - found <= right / 32,
                "{share}: {found}"
            );
        }
        histogram.add(Nanos::MAX);
        assert!(histogram.percentile(100) > Nanos::MAX / 33 * 32);
    }

    #[test]
    fn a_peak_is_the_most_in_one_second() {
        let mut rate = Rate::default();
        for at in [0, 1, SECOND, 3 * SECOND, 3 * SECOND + 5, 3 * SECOND + 9] {
            rate.count(at);
        }
        assert_eq!((rate.peak(), rate.total), (3, 6));
    }
}
