//! Every order in which threads can meet in a [`Watch`](super::Watch) and in
//! what the handles and the driver of a manager share, by loom:
//!
//! ```sh
//! RUSTFLAGS="--cfg loom" cargo test -p redis-authx --lib --target-dir target/loom models
//! ```
//!
//! A wake-up that is lost shows as a deadlock, which loom reports.
//!
//! What is real: `Watch`, `Credentials`, `TokenManager`, `Driver` and what they
//! share. What stands in for something: mutexes and flags (loom's own), and
//! `ArcSwap` and `AtomicWaker` (`models/sync.rs`), as weak as their
//! documentation allows. `Arc` and the figures of `Status` are not explored.

mod manager;
mod readers;
pub(super) mod sync;

use loom::model::Builder;

/// Runs `test` in every order with at most so many preemptions (8 are more than
/// most tests have room for), and says how many orders there were.
fn explore(preemptions: usize, test: impl Fn() + Send + Sync + 'static) {
    let mut model = Builder::new();
    model.preemption_bound = Some(preemptions);
    model.max_branches = 100_000;
    let orders = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = std::sync::Arc::clone(&orders);
    model.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        test();
    });
    let orders = orders.load(std::sync::atomic::Ordering::Relaxed);
    let name = std::thread::current().name().unwrap_or_default().to_owned();
    println!("{name}: {orders} orders");
    assert!(orders > 1, "nothing to explore");
}
