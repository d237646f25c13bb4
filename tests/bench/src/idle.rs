//! How often the driver is woken while a token is held and a connection is open.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use redis_authx::testing::{ManualClock, hours};
use redis_authx::{Driver, TokenManager};

use crate::report::{Kind, Report, row, thousands};
use crate::support::Instantly;

const HOURS: u64 = 24;
/// The clocks are compared after a quarter of the time left, at most 15 min.
const CHECKS_AN_HOUR: u64 = 8;

/// Counts the polls of a driver.
struct Counted {
    driver: Driver,
    polls: Arc<AtomicU64>,
}

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.driver).poll(cx)
    }
}

/// What a day of tokens of one lifetime costs.
struct Day {
    wakes: u64,
    rotations: u64,
}

impl Day {
    fn of(lifetime_hours: u64) -> Self {
        let time = ManualClock::new();
        let (manager, driver) = TokenManager::builder(Instantly::new(hours(lifetime_hours)))
            .seed(7)
            .build(&time);
        let polls = Arc::new(AtomicU64::new(0));
        let mut run = time.run(Counted {
            driver,
            polls: Arc::clone(&polls),
        });
        let _connected = manager.credentials().count_connection();
        run.settle();
        // The first polls and the first token are no idling.
        let before = polls.load(Ordering::Relaxed);
        let first = manager.status().generation;
        run.advance(hours(HOURS));
        Self {
            wakes: polls.load(Ordering::Relaxed) - before,
            rotations: manager.status().generation - first,
        }
    }

    /// The most that clock checks and rotations account for.
    const fn allowed(&self) -> u64 {
        HOURS * CHECKS_AN_HOUR + self.rotations
    }
}

pub(crate) fn run(report: &mut Report) {
    let head = row([
        "token lifetime",
        "wake-ups an hour",
        "of 24 h",
        "rotations",
        "allowed",
    ]);
    let mut rows = vec![head];
    let days = [1, 24, 1000].map(|lifetime| (lifetime, Day::of(lifetime)));
    for (lifetime, day) in &days {
        rows.push(row([
            &format!("{lifetime} h"),
            &format!("{:.1}", day.wakes as f64 / HOURS as f64),
            &thousands(day.wakes),
            &thousands(day.rotations),
            &thousands(day.allowed()),
        ]));
    }
    report.table(&rows);
    for (lifetime, day) in &days {
        report.target(
            Kind::Count,
            &format!(
                "at most {CHECKS_AN_HOUR} clock checks an hour and the rotations ({lifetime} h)"
            ),
            &format!("{} of {} allowed", day.wakes, day.allowed()),
            day.wakes <= day.allowed(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wakes_for_clock_checks_and_rotations_only() {
        let idle = Day::of(1000);
        // One every 15 min.
        assert_eq!((idle.wakes, idle.rotations), (HOURS * 4, 0));
        let busy = Day::of(1);
        assert!(busy.rotations > HOURS);
        assert!(busy.wakes <= busy.allowed());
    }
}
