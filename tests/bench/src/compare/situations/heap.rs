//! What a connection keeps on the heap.

use std::time::Duration;

use redis_authx_emulator::Emulator;
use tokio::runtime::Builder;

use crate::compare::bench::Bench;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};
use crate::redis::heap::bytes_each;
use crate::redis::server::Server;
use crate::redis::unlimited;

pub(crate) const SITUATIONS: &[Situation] = &[Situation {
    name: "heap-connection",
    title: "Heap of a connection",
    about: "Bytes that each of many connections keeps, buffers and tasks included, while a \
            token is held. Straight to redis-server.",
    clients: Clients::Redis,
    rounds: Rounds::full(3),
    limit: Duration::from_secs(60),
    measure,
    plots: no_plots,
}];

static BYTES: Row = Row::lower("a connection", Unit::Bytes).in_short();

fn measure(bench: &Bench) -> Measured {
    let emulator = bench.emulator(Emulator::builder());
    let server = Server::start_for(emulator.object_id());
    // One thread, on which everything is allocated.
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let contestant = runtime
        .block_on(async { Contestant::start(bench.side, &emulator, &server.url(), Plan::HOUR) });
    let open = async || {
        let opened = contestant.multiplexed(unlimited()).await;
        opened.expect("a connection")
    };
    let bytes = bytes_each(&runtime, bench.pick(500, 100), open);
    drop(contestant);
    runtime.shutdown_background();
    Measured::default().with(&BYTES, bytes)
}
