//! The heap of one connection.

use std::time::Duration;

use redis_authx::Event;
use tokio::runtime::{Builder, Runtime};
use tokio::task::yield_now;

use super::server::Server;
use super::{connect, ours, plain};
use crate::report::{Kind, Report, row};
use crate::support::spawn_manager;

const CONNECTIONS: usize = 500;
const MOST_BYTES: f64 = 1024.0;
const HOUR: Duration = Duration::from_secs(3600);

pub(crate) fn run(report: &mut Report) {
    // One thread, on which everything is allocated.
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let server = Server::start();
    let plain = bytes_each(&runtime, CONNECTIONS, async || plain(&server).await);
    let manager = runtime.block_on(async { spawn_manager(HOUR, HOUR * 3 / 4, |_: &Event| {}) });
    let client = runtime.block_on(async { ours(&server, manager.credentials()) });
    let ours = bytes_each(&runtime, CONNECTIONS, async || connect(&client).await);
    let over = format!("{:.0}", ours - plain);
    report.table(&[
        row(["a connection of redis-rs", "bytes", "over the plain one"]),
        row(["static password", &format!("{plain:.0}"), ""]),
        row(["redis-authx", &format!("{ours:.0}"), &over]),
    ]);
    report.target(
        Kind::Count,
        "at most 1 kB of heap a connection over the plain one",
        &over,
        ours - plain <= MOST_BYTES,
    );
}

/// What each of `count` connections keeps, beyond the first few. The runtime must
/// have one thread.
pub(crate) fn bytes_each<C>(runtime: &Runtime, count: usize, open: impl AsyncFn() -> C) -> f64 {
    let many = async |count: usize| {
        let mut connections = Vec::with_capacity(count);
        for _ in 0..count {
            connections.push(open().await);
        }
        // What runs for them beside gets to its rest.
        for _ in 0..1000 {
            yield_now().await;
        }
        connections
    };
    let first = runtime.block_on(many(50));
    let mut kept = None;
    let heap = allocation_counter::measure(|| kept = Some(runtime.block_on(many(count))));
    drop((first, kept));
    heap.bytes_current as f64 / count as f64
}
