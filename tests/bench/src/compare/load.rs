//! Callers of the closed loop for either client, and what they see over time.

use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::KeysInterface;

use crate::closed_loop::{Caller, Latency};
use crate::compare::measured::Measured;
use crate::compare::row::{Row, Unit};

/// The key that is read.
pub(crate) const KEY: &str = "key";

/// Reads [`KEY`] by a client of fred.
#[derive(Clone, Debug)]
pub(crate) struct OnFred(pub(crate) Client);

impl Caller for OnFred {
    async fn call(&mut self) {
        let read: Result<Option<String>, _> = self.0.get(KEY).await;
        read.expect("a reply");
    }
}

static THROUGHPUT: Row = Row::higher("commands", Unit::PerSecond).in_short();
static P50: Row = Row::lower("p50 of latency", Unit::Micros);
static P99: Row = Row::lower("p99 of latency", Unit::Micros);
static P999: Row = Row::lower("p99.9 of latency", Unit::Micros);

/// Throughput and latency of one run.
pub(crate) fn figures(latency: &Latency, time: Duration) -> Measured {
    let micros = |quantile| latency.value_at_quantile(quantile) as f64 / 1000.0;
    Measured::default()
        .with(&THROUGHPUT, latency.len() as f64 / time.as_secs_f64())
        .with(&P50, micros(0.5))
        .with(&P99, micros(0.99))
        .with(&P999, micros(0.999))
}

/// The quantile of each slice of time, of all calls in it. Of each call its time and
/// how long it took.
pub(crate) fn over_time(calls: &[(f64, f64)], slice: f64, quantile: f64) -> Vec<(f64, f64)> {
    let last = calls.iter().map(|call| call.0).fold(0.0, f64::max);
    let mut slices = vec![Vec::new(); (last / slice) as usize + 1];
    for (at, spent) in calls {
        slices[(at / slice) as usize].push(*spent);
    }
    let slices = slices.into_iter().enumerate();
    let point = |(number, spent): (usize, Vec<f64>)| {
        let value = at_quantile(spent, quantile)?;
        Some((number as f64 * slice, value))
    };
    slices.filter_map(point).collect()
}

/// The value that this share of them does not exceed; `None` of none.
pub(crate) fn at_quantile(mut values: Vec<f64>, quantile: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    values
        .get((last as f64 * quantile).ceil() as usize)
        .copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_slice_has_its_own_quantile() {
        let calls = [(0.01, 1.0), (0.02, 3.0), (0.03, 2.0), (0.25, 9.0)];
        assert_eq!(over_time(&calls, 0.1, 0.5), [(0.0, 2.0), (0.2, 9.0)]);
        assert_eq!(over_time(&calls, 0.1, 1.0), [(0.0, 3.0), (0.2, 9.0)]);
        assert_eq!(at_quantile(Vec::new(), 0.5), None);
    }
}
