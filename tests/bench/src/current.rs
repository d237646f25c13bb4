//! `Credentials::current()` against what the redis-rs built-in does for every
//! new connection: clone user name and token behind a lock.

use std::hint::black_box;
use std::sync::{Arc, Barrier, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use redis_authx::Credentials;
use redis_authx::testing::hours;

use crate::report::{Kind, Report, row};
use crate::support::{manager, median, user_and_password};

const CALLS: u32 = 200_000;
const ROUNDS: usize = 21;
const COUNTED: u64 = 1_000;
const TIMES_CHEAPER: f64 = 10.0;

/// The ways to read, side by side.
#[derive(Clone)]
struct Readers {
    /// A handle for each thread, as each connection has one.
    ours: Credentials,
    mutex: Arc<Mutex<Option<(String, String)>>>,
    rwlock: Arc<RwLock<Option<(String, String)>>>,
}

/// What it is called, and how it reads.
type Way = (&'static str, fn(&Readers));

const WAYS: [Way; 4] = [
    ("Credentials::current()", |readers| {
        drop(black_box(readers.ours.current()));
    }),
    ("Credentials::generation()", |readers| {
        black_box(readers.ours.generation());
    }),
    ("clone behind a Mutex", |readers| {
        let held = readers.mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let copy = black_box(held.clone());
        drop(held);
        drop(copy);
    }),
    ("clone behind an RwLock", |readers| {
        let held = readers
            .rwlock
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        let copy = black_box(held.clone());
        drop(held);
        drop(copy);
    }),
];

pub(crate) fn run(report: &mut Report) {
    let (manager, _run) = manager(hours(1));
    let readers = Readers {
        ours: manager.credentials(),
        mutex: Arc::new(Mutex::new(Some(user_and_password()))),
        rwlock: Arc::new(RwLock::new(Some(user_and_password()))),
    };
    let allocations = WAYS.map(|(_, read)| allocations(&readers, read));
    let times = [1, 2].map(|threads| interleaved(&readers, threads));
    let mut rows = vec![row([
        "reading the token (1.5 kB)",
        "allocations a call",
        "1 thread, ratio",
        "2 threads, ratio",
        "1 thread, ns",
        "2 threads, ns",
    ])];
    for (way, (name, _)) in WAYS.iter().enumerate() {
        let ratio = |threads: usize| format!("{:.1}", ratio_to_ours(&times[threads], way));
        let nanos = |threads: usize| format!("{:.0}", median(times[threads][way].clone()));
        let counted = format!("{}", allocations[way] as f64 / COUNTED as f64);
        rows.push(row([
            name,
            &counted,
            &ratio(0),
            &ratio(1),
            &nanos(0),
            &nanos(1),
        ]));
    }
    report.table(&rows);
    report.target(
        Kind::Count,
        "no allocation by current()",
        &allocations[0].to_string(),
        allocations[0] == 0,
    );
    for (threads, times) in ["1 thread", "2 threads"].into_iter().zip(&times) {
        let least = ratio_to_ours(times, 2).min(ratio_to_ours(times, 3));
        report.target(
            Kind::Time,
            &format!("current() {TIMES_CHEAPER} times cheaper than a clone, {threads}"),
            &format!("{least:.1}"),
            least >= TIMES_CHEAPER,
        );
    }
}

fn allocations(readers: &Readers, read: fn(&Readers)) -> u64 {
    let counted = allocation_counter::measure(|| (0..COUNTED).for_each(|_| read(readers)));
    counted.count_total
}

/// Nanoseconds a call, a list of rounds for each way: all ways in turn in each
/// round, so that what disturbs the machine disturbs them alike.
fn interleaved(readers: &Readers, threads: usize) -> [Vec<f64>; WAYS.len()] {
    let mut times = [const { Vec::new() }; WAYS.len()];
    for _ in 0..ROUNDS {
        for (times, (_, read)) in times.iter_mut().zip(WAYS) {
            let spent = together(readers, threads, read);
            times.push(spent.as_nanos() as f64 / f64::from(CALLS));
        }
    }
    times
}

/// The longest that one of the threads took for its calls.
fn together(readers: &Readers, threads: usize, read: fn(&Readers)) -> Duration {
    let start = Barrier::new(threads);
    let one = || {
        let readers = readers.clone();
        let mut spent = Duration::ZERO;
        // Counting would burden those that allocate.
        allocation_counter::opt_out(|| {
            start.wait();
            let begun = Instant::now();
            (0..CALLS).for_each(|_| read(&readers));
            spent = begun.elapsed();
        });
        spent
    };
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let spent = running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_default());
        spent.max().unwrap_or_default()
    })
}

/// The median over the rounds of how many times as long it took as ours.
fn ratio_to_ours(times: &[Vec<f64>], way: usize) -> f64 {
    let ratios = times[way].iter().zip(&times[0]);
    median(ratios.map(|(way, ours)| way / ours).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn current_does_not_allocate_and_the_clones_do() {
        let mut report = Report::new();
        let (manager, _run) = manager(hours(1));
        let readers = Readers {
            ours: manager.credentials(),
            mutex: Arc::new(Mutex::new(Some(user_and_password()))),
            rwlock: Arc::new(RwLock::new(Some(user_and_password()))),
        };
        let counts = WAYS.map(|(_, read)| allocations(&readers, read));
        assert_eq!(counts, [0, 0, 2 * COUNTED, 2 * COUNTED]);
        report.target(Kind::Count, "", "", counts[0] == 0);
        assert!(!report.missed_a_count());
    }
}
