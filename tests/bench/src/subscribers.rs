//! One rotation to many subscribers, against as many channels of capacity 1.

mod channels;
mod ours;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;
use std::time::{Duration, Instant};

use futures::task::{ArcWake, waker};
use redis_authx::Token;

use crate::report::{Kind, Report, row};
use crate::support::{median, user_and_password};
use channels::Channels;
use ours::Ours;

const SUBSCRIBERS: usize = 100_000;
const ROUNDS: usize = 5;
const MOST_BYTES: f64 = 200.0;

/// Many who wait for the next token.
trait Crowd {
    /// Hands a new token to everyone, who then waits again. Says how many got
    /// it.
    fn rotate(&mut self) -> usize;
}

/// Counts wake-ups, at no cost to the heap: every subscriber has the same.
#[derive(Default)]
struct Woken(AtomicUsize);

impl ArcWake for Woken {
    fn wake_by_ref(woken: &Arc<Self>) {
        woken.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// What a crowd costs.
struct Cost {
    name: &'static str,
    bytes: f64,
    bytes_in_rotation: f64,
    nanos: Vec<f64>,
    /// In each rotation everyone was woken and got the token.
    complete: bool,
}

impl Cost {
    fn of<C: Crowd>(name: &'static str, size: usize, gather: impl Fn(usize, &Waker) -> C) -> Self {
        let woken = Arc::new(Woken::default());
        let waker = waker(Arc::clone(&woken));
        let mut crowd = None;
        let gathering = allocation_counter::measure(|| crowd = Some(gather(size, &waker)));
        let mut cost = Self {
            name,
            bytes: gathering.bytes_current as f64 / size as f64,
            bytes_in_rotation: 0.0,
            nanos: Vec::new(),
            complete: true,
        };
        let Some(mut crowd) = crowd else { return cost };
        let mut reached = 0;
        let rotation = allocation_counter::measure(|| reached = crowd.rotate());
        cost.bytes_in_rotation = cost.bytes + rotation.bytes_max as f64 / size as f64;
        cost.complete &= reached == size;
        for _ in 0..ROUNDS {
            let mut spent = Duration::ZERO;
            allocation_counter::opt_out(|| {
                let begun = Instant::now();
                reached = crowd.rotate();
                spent = begun.elapsed();
            });
            cost.complete &= reached == size;
            cost.nanos.push(spent.as_nanos() as f64 / size as f64);
        }
        cost.complete &= woken.0.load(Ordering::Relaxed) == size * (ROUNDS + 1);
        cost
    }
}

fn costs(size: usize) -> [Cost; 3] {
    let (user, password) = user_and_password();
    let token = Token::new(user.clone(), password.clone());
    let pair = (user, password);
    [
        Cost::of("Credentials", size, Ours::gather),
        Cost::of("channels of a shared token", size, |size, waker| {
            Channels::gather(token.clone(), size, waker)
        }),
        Cost::of("channels of user name and token", size, |size, waker| {
            Channels::gather(pair.clone(), size, waker)
        }),
    ]
}

pub(crate) fn run(report: &mut Report) {
    let costs = costs(SUBSCRIBERS);
    let ours = median(costs[0].nanos.clone());
    let mut rows = vec![row([
        "100 000 subscribers, each",
        "bytes",
        "bytes in a rotation",
        "time, ratio",
        "time, ns",
    ])];
    for cost in &costs {
        let nanos = median(cost.nanos.clone());
        rows.push(row([
            cost.name,
            &format!("{:.0}", cost.bytes),
            &format!("{:.0}", cost.bytes_in_rotation),
            &format!("{:.1}", nanos / ours),
            &format!("{nanos:.0}"),
        ]));
    }
    report.table(&rows);
    let most = costs[0].bytes_in_rotation;
    report.target(
        Kind::Count,
        "at most 200 bytes a subscriber, rotation included",
        &format!("{most:.0}"),
        most <= MOST_BYTES,
    );
    let complete = costs.iter().all(|cost| cost.complete);
    report.target(
        Kind::Count,
        "every subscriber woken and reached in every rotation",
        if complete { "all" } else { "not all" },
        complete,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everyone_is_reached_and_ours_is_small() {
        let costs = costs(1_000);
        assert!(costs.iter().all(|cost| cost.complete));
        assert!(costs[0].bytes_in_rotation <= MOST_BYTES);
        assert!(costs[2].bytes > costs[0].bytes);
    }
}
