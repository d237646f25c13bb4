//! Both sides in turn, round after round.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::bench::Bench;
use super::measured::Measured;
use super::outcome::{Outcome, Run};
use super::situation::{Side, Situation};

/// What a run is given beyond its limit to give up by itself.
const GRACE: Duration = Duration::from_secs(10);

/// Puts both sides through `situation`. Which goes first alternates, so that a
/// machine that gets slower or warmer does so for both.
pub(crate) fn go_through(situation: &Situation, rounds: usize, bench: &Bench) -> Outcome {
    let mut outcome = Outcome::new(*situation);
    for round in 0..rounds {
        let mut order = Side::BOTH;
        if round % 2 == 1 {
            order.reverse();
        }
        for side in order {
            let bench = Bench {
                side,
                limit: situation.limit,
                ..bench.clone()
            };
            outcome.add(Run {
                side,
                round,
                result: one(situation, bench),
            });
        }
    }
    outcome
}

/// One run on a thread of its own: one that panics or hangs is a result too, and
/// takes no other with it.
fn one(situation: &Situation, bench: Bench) -> Result<Measured, String> {
    let (measure, patience) = (situation.measure, bench.limit + GRACE);
    let (done, result) = mpsc::channel();
    thread::spawn(move || {
        let measured = catch_unwind(AssertUnwindSafe(|| measure(&bench)));
        // Nobody waits any more if it took too long.
        let _ = done.send(measured.map_err(|panic| text(&*panic)));
    });
    result
        .recv_timeout(patience)
        .unwrap_or_else(|_| Err(format!("hangs: no end within {patience:?}")))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panicked");
    // A table's cell has one line.
    text.lines().next().unwrap_or_default().to_owned()
}
