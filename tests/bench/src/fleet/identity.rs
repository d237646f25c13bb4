//! An identity service that throttles and has outages.

use fastrand::Rng;

use super::options::Options;
use super::time::{MILLI, Nanos, SECOND, Spell, nanos};

/// Half of the usual latency is fixed, half is spread.
const LATENCY: Nanos = 50 * MILLI;
const LONGEST_LATENCY: Nanos = 5 * SECOND;

/// What it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 503.
    Down,
    /// 429, with a Retry-After.
    Throttled,
    /// A token that lives so many milliseconds from when it was issued.
    Token { life: u32 },
}

#[derive(Debug)]
pub(super) struct Identity {
    outages: Vec<Spell>,
    shortest: u32,
    longest: u32,
    /// Between two requests at the limit.
    interval: Nanos,
    /// When the next request would be due, were they evenly spaced.
    due: Nanos,
}

impl Identity {
    pub(super) fn new(options: &Options) -> Self {
        let millis = |span| u32::try_from(nanos(span) / MILLI).unwrap_or(u32::MAX);
        Self {
            outages: options.outage.clone(),
            shortest: millis(options.shortest).max(1),
            longest: millis(options.longest).max(1),
            interval: SECOND / Nanos::from(options.token_rate.unwrap_or(1).max(1)),
            due: 0,
        }
    }

    /// The answer to a request, and how long it takes.
    pub(super) fn ask(&mut self, now: Nanos, random: &mut Rng) -> (Nanos, Answer) {
        let spread = -(1.0 - random.f64()).ln();
        let latency = LATENCY + (LATENCY as f64 * spread) as Nanos;
        let life = random.u32(self.shortest..=self.longest);
        let answer = if self.outages.iter().any(|outage| outage.contains(now)) {
            Answer::Down
        } else if self.due > now + SECOND {
            Answer::Throttled
        } else {
            self.due = self.due.max(now) + self.interval;
            Answer::Token { life }
        };
        (latency.min(LONGEST_LATENCY), answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::tests::small;

    #[test]
    fn throttles_above_its_limit_and_is_down_in_an_outage() {
        let mut options = small();
        options.token_rate = Some(10);
        options.outage = vec![Spell { from: 5, to: 6 }];
        let mut identity = Identity::new(&options);
        let random = &mut Rng::with_seed(1);
        assert_eq!(identity.ask(5, random).1, Answer::Down);
        let answers: Vec<Answer> = (0..30).map(|_| identity.ask(6, random).1).collect();
        let refused = answers
            .iter()
            .filter(|answer| **answer == Answer::Throttled);
        // A second's worth at once, and the one that is due.
        assert_eq!(refused.count(), 30 - 11);
        assert!(matches!(
            identity.ask(2 * SECOND, random).1,
            Answer::Token { .. }
        ));
    }
}
