//! Simulated token lifetimes a minute, on one core, through the real driver.

use std::time::{Duration, Instant};

use redis_authx::testing::{hours, minutes, seconds};

use crate::report::{Kind, Report, row, thousands};
use crate::support::manager;

const TARGET: f64 = 1_000_000.0;
const ENOUGH: Duration = Duration::from_secs(3);

/// How many lifetimes were lived through in how long.
struct Pace {
    rotations: u64,
    spent: Duration,
    /// What one lifetime holds in simulated time, renewal to renewal.
    between: Duration,
}

impl Pace {
    fn of(lifetime: Duration, enough: Duration) -> Self {
        let (manager, mut run) = manager(lifetime);
        let (begun, first) = (Instant::now(), manager.status().generation);
        let (mut spent, mut passed) = (Duration::ZERO, Duration::ZERO);
        while spent < enough {
            run.advance(lifetime * 100);
            passed += lifetime * 100;
            spent = begun.elapsed();
        }
        let rotations = manager.status().generation - first;
        let between = passed / u32::try_from(rotations.max(1)).unwrap_or(u32::MAX);
        Self {
            rotations,
            spent,
            between,
        }
    }

    fn a_minute(&self) -> f64 {
        self.rotations as f64 * 60.0 / self.spent.as_secs_f64()
    }
}

pub(crate) fn run(report: &mut Report) {
    let lifetimes = [
        ("1 h", hours(1)),
        ("15 min", minutes(15)),
        ("5 min", minutes(5)),
        ("1 min", seconds(60)),
    ];
    let head = row([
        "token lifetime",
        "lifetimes a minute",
        "renewed every",
        "clock checks in each",
    ]);
    let mut rows = vec![head];
    let mut paces = Vec::new();
    for (name, lifetime) in lifetimes {
        let pace = Pace::of(lifetime, ENOUGH);
        rows.push(row([
            name,
            &thousands(pace.a_minute() as u64),
            &format!("{:.0} s", pace.between.as_secs_f64()),
            &format!("{:.0}", pace.between.as_secs_f64() / 30.0),
        ]));
        paces.push((name, pace.a_minute()));
    }
    report.table(&rows);
    for (name, a_minute) in paces {
        report.target(
            Kind::Time,
            &format!("1 000 000 lifetimes of {name} a minute"),
            &thousands(a_minute as u64),
            a_minute >= TARGET,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lifetime_is_lived_through() {
        let pace = Pace::of(hours(1), Duration::from_nanos(1));
        // Three quarters of an hour, a twentieth of that sooner at most.
        assert!((minutes(42)..=minutes(45)).contains(&pace.between));
        assert!(pace.rotations >= 100 * 60 / 45);
    }
}
