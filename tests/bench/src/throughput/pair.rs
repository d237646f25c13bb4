//! One run of each side, in slices that take turns.

use std::time::{Duration, Instant};

use super::taken::Taken;
use super::{Command, Options, Sides};
use crate::closed_loop::{Caller, Latency, Loop};
use crate::redis::server::Server;
use crate::support::{cpu_time, spawn_manager};

/// A rotation every second …
const RENEWED_AFTER: Duration = Duration::from_secs(1);
/// … and the old token is good for long enough after that: a connection whose
/// token ends is replaced, which is not what is measured here.
const LIFETIME: Duration = Duration::from_secs(4);

/// Short against what else a shared machine does, which then slows both sides
/// alike; long against what it costs to begin one.
const SLICE: Duration = Duration::from_millis(100);

/// Whose connection is opened first.
#[derive(Clone, Copy, Debug)]
pub(super) enum First {
    Plain,
    Ours,
}

/// What one run showed.
pub(super) struct Run {
    commands: u64,
    /// What its slices took.
    time: Duration,
    /// Rotations while it was measured.
    pub(super) reauthenticated: u64,
    /// How often another connection took its place, at any time.
    pub(super) replaced: u64,
    latency: Latency,
    /// Of the CPU.
    spent: Option<Duration>,
}

impl Run {
    /// Commands a second.
    pub(super) fn throughput(&self) -> f64 {
        self.commands as f64 / self.time.as_secs_f64()
    }

    /// Nanoseconds of the CPU for each command; not a number where that is not
    /// known.
    pub(super) fn cost(&self) -> f64 {
        let nanos = |spent: Duration| spent.as_nanos() as f64;
        self.spent.map_or(f64::NAN, nanos) / self.commands as f64
    }

    /// Nanoseconds.
    pub(super) fn at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64
    }
}

/// One side of a pair, on its way.
struct Side<C> {
    tasks: Loop<C>,
    time: Duration,
    spent: Option<Duration>,
}

impl<C: Caller + Clone> Side<C> {
    fn new(caller: C, options: Options) -> Self {
        Self {
            tasks: Loop::new(vec![caller; options.tasks]),
            time: Duration::ZERO,
            spent: Some(Duration::ZERO),
        }
    }

    async fn slice(&mut self) {
        let before = cpu_time();
        let begun = Instant::now();
        self.tasks.run(SLICE).await;
        self.time += begun.elapsed();
        let spent = |(now, before): (Duration, Duration)| now.saturating_sub(before);
        let spent = cpu_time().zip(before).map(spent);
        self.spent = self.spent.zip(spent).map(|(all, more)| all + more);
    }

    fn ended(self, reauthenticated: u64, replaced: u64) -> Run {
        let latency = self.tasks.latency();
        Run {
            commands: latency.len(),
            time: self.time,
            reauthenticated,
            replaced,
            latency,
            spent: self.spent,
        }
    }
}

/// One run of each, the plain one's first in what is returned. Which one opens its
/// connection first is the caller's choice: it is not for nothing where things lie
/// in memory.
pub(super) async fn pair<S: Sides>(
    server: &Server,
    command: Command,
    options: Options,
    first: First,
) -> [Run; 2] {
    let taken = Taken::default();
    let manager = spawn_manager(LIFETIME, RENEWED_AFTER, taken.observer());
    let open_plain = async || Side::new(S::plain(server, command).await, options);
    let open_ours = async || {
        let caller = S::ours(server, command, manager.credentials()).await;
        Side::new(caller, options)
    };
    let (mut plain, mut ours) = match first {
        First::Plain => {
            let plain = open_plain().await;
            (plain, open_ours().await)
        }
        First::Ours => {
            let ours = open_ours().await;
            (open_plain().await, ours)
        }
    };
    let mut reauthenticated = 0;
    for slice in 0..options.seconds * 1000 / SLICE.as_millis() as u64 {
        // Either side follows the other as often as itself.
        for is_ours in [slice % 2 == 1, slice % 2 == 0] {
            if is_ours {
                let before = taken.reauthenticated();
                ours.slice().await;
                reauthenticated += taken.reauthenticated() - before;
            } else {
                plain.slice().await;
            }
        }
    }
    let replaced = taken.replaced();
    [plain.ended(0, 0), ours.ended(reauthenticated, replaced)]
}
