//! Walks through the machine: whatever happens in whatever order, the rules
//! hold.
//!
//! One body, two sources of choices. Here they come from a seed, 100,000 times
//! over, and from the inputs that the fuzzer has found (`fuzz/corpus`). The
//! fuzzer itself is `fuzz/fuzz_targets/operations.rs`. `WALKS` sets how many, for
//! runs that repeat the tests over and over.

mod choices;
mod model;
mod seen;
mod settings;
mod walk;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;

use arbitrary::Unstructured;

use seen::Seen;
use walk::Walk;

const WALKS: u64 = 100_000;
const STEPS: usize = 100;
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/operations");

#[test]
fn random_walks_keep_every_rule() {
    if let Ok(seed) = std::env::var("WALK") {
        walk(seed.parse().expect("WALK is a number"));
        return;
    }
    let walks =
        std::env::var("WALKS").map_or(WALKS, |walks| walks.parse().expect("WALKS is a number"));
    let mut seen = Seen::default();
    for seed in 0..walks {
        match catch_unwind(|| walk(seed)) {
            Ok(more) => seen.add(more),
            Err(panic) => {
                eprintln!("repeat it: WALK={seed} cargo test -p redis-authx --test walks random");
                resume_unwind(panic);
            }
        }
    }
    assert_eq!(seen, Seen::all(), "something never happens in any walk");
}

fn walk(seed: u64) -> Seen {
    let mut random = fastrand::Rng::with_seed(seed);
    Walk::new(&mut random).run(STEPS)
}

#[test]
fn what_the_fuzzer_found_keeps_every_rule() {
    let mut inputs = 0;
    let mut seen = Seen::default();
    for entry in Path::new(CORPUS).read_dir().expect("a corpus") {
        let path = entry.expect("readable").path();
        let bytes = std::fs::read(&path).expect("readable");
        let walk = AssertUnwindSafe(|| Walk::new(&mut Unstructured::new(&bytes)).run(usize::MAX));
        match catch_unwind(walk) {
            Ok(more) => seen.add(more),
            Err(panic) => {
                eprintln!("with the input {}", path.display());
                resume_unwind(panic);
            }
        }
        inputs += 1;
    }
    assert_eq!(seen, Seen::all(), "something never happens in the corpus");
    assert!(inputs >= 20, "only {inputs} inputs");
}
