//! Token requests of a fleet in outages of several lengths, by three rules. Each
//! process is the real [`Machine`]; only the waits between failed attempts
//! differ.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use redis_authx::machine::{Input, Lease, Machine, Output};
use redis_authx::{
    ErrorKind, ExponentialBackoff, Moment, RefreshPolicy, RetryContext, RetryDecision, RetryPolicy,
};

use crate::report::{Kind, Report, row, thousands};

const LIFETIME: Duration = Duration::from_secs(3600);
/// The outage begins after this: every process has renewed its token by then.
const BEFORE: Duration = Duration::from_secs(2 * 3600);
/// The fleet is watched for so long after the outage.
const AFTER: Duration = Duration::from_secs(120);
/// The peak is the busiest of these.
const BUCKET: Duration = Duration::from_secs(10);

/// The waits between failed attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The policies' defaults.
    Ours,
    /// Five attempts within 4 s, then 30 s of pause, repeated.
    Cycles,
    EachSecond,
}

impl Rule {
    const ALL: [Self; 3] = [Self::Ours, Self::Cycles, Self::EachSecond];

    fn policy(self) -> Arc<dyn RetryPolicy> {
        match self {
            Self::Ours => Arc::new(ExponentialBackoff::default()),
            Self::Cycles | Self::EachSecond => Arc::new(Fixed(self)),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Cycles => "cycles of 5, 30 s apart",
            Self::EachSecond => "each second",
        }
    }
}

#[derive(Debug)]
struct Fixed(Rule);

impl RetryPolicy for Fixed {
    fn on_failure(&self, context: &RetryContext<'_>) -> RetryDecision {
        let in_cycle = context.attempt % 5;
        RetryDecision::RetryAfter(if self.0 == Rule::EachSecond {
            Duration::from_secs(1)
        } else if in_cycle == 0 {
            Duration::from_secs(30).mul_f64(0.4f64.mul_add(context.sample, 0.8))
        } else {
            ExponentialBackoff::default().jittered_delay(in_cycle, context.sample)
        })
    }
}

/// What a fleet did.
#[derive(Debug, Default)]
struct Outcome {
    /// Requests in each bucket since the outage began.
    requests: Vec<u64>,
    /// From the service's return to the token, for processes that had none.
    recoveries: Vec<Duration>,
}

impl Outcome {
    fn peak(&self) -> u64 {
        self.requests.iter().max().copied().unwrap_or(0) / BUCKET.as_secs()
    }

    fn mean_recovery(&self) -> f64 {
        let sum: Duration = self.recoveries.iter().sum();
        sum.as_secs_f64() / self.recoveries.len().max(1) as f64
    }

    /// Of sorted recoveries.
    fn p99_recovery(&self) -> f64 {
        let last = self.recoveries.len().saturating_sub(1);
        let at = self.recoveries.get(last * 99 / 100);
        at.map_or(0.0, Duration::as_secs_f64)
    }

    fn add(&mut self, other: Self) {
        self.requests
            .resize(self.requests.len().max(other.requests.len()), 0);
        for (sum, more) in self.requests.iter_mut().zip(&other.requests) {
            *sum += more;
        }
        self.recoveries.extend(other.recoveries);
    }
}

/// One process, which starts `phase` after the first.
fn process(outcome: &mut Outcome, rule: Rule, outage: Duration, phase: Duration, seed: u64) {
    let zero = Moment::new(Instant::now(), SystemTime::UNIX_EPOCH);
    let (down, up) = (zero.after(BEFORE), zero.after(BEFORE + outage));
    let end = up.after(AFTER).monotonic();
    let mut now = zero.after(phase);
    let mut machine = Machine::new(RefreshPolicy::default(), rule.policy(), seed, now);
    machine.handle_input(now, Input::Needed(true));
    let mut down_at_return = None;
    loop {
        while let Some(output) = machine.poll_output() {
            let Output::Request(id) = output else {
                continue;
            };
            let since = now.monotonic().checked_duration_since(down.monotonic());
            if let Some(since) = since {
                let bucket = (since.as_secs() / BUCKET.as_secs()) as usize;
                if outcome.requests.len() <= bucket {
                    outcome.requests.resize(bucket + 1, 0);
                }
                outcome.requests[bucket] += 1;
            }
            let fails = since.is_some_and(|since| since < outage);
            let result = if fails {
                Err(ErrorKind::Unavailable.into())
            } else {
                Ok(Lease::new((), Some(now.after(LIFETIME))))
            };
            machine.handle_input(now, Input::Completed { id, result });
        }
        let back = now.monotonic() >= up.monotonic();
        if back && down_at_return == Some(true) && machine.current().is_some() {
            outcome.recoveries.push(up_to(up, now));
            down_at_return = Some(false);
        }
        let next = machine.poll_timeout().unwrap_or(end);
        if down_at_return.is_none() && next >= up.monotonic() {
            down_at_return = Some(machine.current().is_none());
        }
        if next >= end || (back && down_at_return == Some(false)) {
            return;
        }
        now = now.after(next.saturating_duration_since(now.monotonic()));
        machine.handle_input(now, Input::Timeout);
    }
}

fn up_to(from: Moment, to: Moment) -> Duration {
    to.monotonic().saturating_duration_since(from.monotonic())
}

/// Rounded as it is printed.
fn tenths(seconds: f64) -> f64 {
    (seconds * 10.0).round() / 10.0
}

fn fleet(rule: Rule, outage: Duration, processes: u32) -> Outcome {
    let workers = thread::available_parallelism().map_or(1, |count| count.get() as u32);
    let mut outcome = thread::scope(|scope| {
        let parts: Vec<_> = (0..workers)
            .map(|worker| {
                scope.spawn(move || {
                    let mut random = Rng::with_seed(u64::from(worker));
                    let mut part = Outcome::default();
                    for _ in (worker..processes).step_by(workers as usize) {
                        let phase = LIFETIME.mul_f64(random.f64());
                        process(&mut part, rule, outage, phase, random.u64(..));
                    }
                    part
                })
            })
            .collect();
        let mut all = Outcome::default();
        for part in parts {
            match part.join() {
                Ok(part) => all.add(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    outcome.recoveries.sort_unstable();
    outcome
}

/// An outage in minutes, and what ours may take: peak requests a second of
/// 100,000 processes, mean and 99th percentile of the recovery in seconds.
const OUTAGES: [(u64, u64, f64, f64); 4] = [
    (10, 645, 0.0, 0.0),
    (25, 4_805, 5.3, 13.9),
    (60, 10_980, 5.8, 13.7),
    (120, 10_980, 5.8, 13.7),
];

pub(super) fn run(report: &mut Report, processes: u32) {
    let mut rows = vec![row([
        "outage",
        "rule",
        "peak requests/s",
        "without token",
        "recovery, mean s",
        "p99 s",
    ])];
    let mut targets = Vec::new();
    for (minutes, peak, mean, p99) in OUTAGES {
        for rule in Rule::ALL {
            let outcome = fleet(rule, Duration::from_secs(60 * minutes), processes);
            let found = (
                outcome.peak(),
                tenths(outcome.mean_recovery()),
                tenths(outcome.p99_recovery()),
            );
            rows.push(row([
                &format!("{minutes} min"),
                rule.name(),
                &thousands(found.0),
                &thousands(outcome.recoveries.len() as u64),
                &format!("{:.1}", found.1),
                &format!("{:.1}", found.2),
            ]));
            if rule == Rule::Ours {
                let most = peak * u64::from(processes) / 100_000;
                let met = found.0 <= most && found.1 <= mean && found.2 <= p99;
                let target = format!(
                    "{minutes} min: at most {most} requests/s, recovery {mean} s mean, {p99} s p99"
                );
                let found = format!("{}, {:.1} s, {:.1} s", found.0, found.1, found.2);
                targets.push((target, found, met));
            }
        }
    }
    report.line(format!(
        "token requests of {} processes, tokens of 1 h, in outages of the identity service",
        thousands(processes.into())
    ));
    report.table(&rows);
    for (target, found, met) in targets {
        report.target(Kind::Count, &target, &found, met);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_down_only_beyond_what_was_left_of_its_token() {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        for rule in Rule::ALL {
            let short = fleet(rule, minutes(10), 50);
            assert!(short.recoveries.is_empty(), "{rule:?}");
            assert!(short.peak() <= 50, "{rule:?}");
            let long = fleet(rule, minutes(60), 50);
            assert_eq!(long.recoveries.len(), 50, "{rule:?}");
            assert!(long.p99_recovery() < 40.0, "{rule:?}");
        }
        let eager = fleet(Rule::EachSecond, minutes(60), 50);
        assert!(eager.p99_recovery() <= 1.0);
        assert_eq!(eager.peak(), 50);
    }
}
