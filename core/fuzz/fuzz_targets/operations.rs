//! Walks through the token manager's machine, led by the fuzzer.
//!
//! The walk and the rules it keeps are those of `core/tests/walks`, which also
//! repeats this target's corpus with a stable compiler.

#![no_main]

#[path = "../../tests/walks/choices.rs"]
mod choices;
#[path = "../../tests/walks/model.rs"]
mod model;
#[path = "../../tests/walks/seen.rs"]
#[allow(dead_code)] // what the tests ask
mod seen;
#[path = "../../tests/walks/settings.rs"]
mod settings;
#[path = "../../tests/walks/walk.rs"]
mod walk;

use arbitrary::Unstructured;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    walk::Walk::new(&mut Unstructured::new(bytes)).run(usize::MAX);
});
