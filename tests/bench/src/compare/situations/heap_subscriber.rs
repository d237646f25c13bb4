//! What a subscriber to credentials keeps on the heap.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use futures::Stream;
use redis::RedisResult;
use redis::auth::{BasicAuth, StreamingCredentialsProvider};
use redis_authx::Credentials;
use tokio::runtime::Builder;
use tokio::task::yield_now;

use crate::compare::bench::Bench;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};
use crate::support::Instantly;

pub(crate) const SITUATIONS: &[Situation] = &[Situation {
    name: "heap-subscriber",
    title: "Heap of a subscriber",
    about: "Bytes that each of many subscribers to one token of 1.5 kB keeps, once it has taken \
            the token and waits for the next; and what is left of each when it is dropped, until \
            the next token.",
    clients: Clients::Redis,
    rounds: Rounds::full(3),
    limit: Duration::from_secs(60),
    measure,
    plots: no_plots,
}];

static BYTES: Row = Row::lower("a subscriber", Unit::Bytes).in_short();
static LEFT: Row = Row::lower("of a dropped one", Unit::Bytes);

/// Subscribers of one side.
enum Crowd {
    BuiltIn(Vec<Pin<Box<dyn Stream<Item = RedisResult<BasicAuth>> + Send>>>),
    Ours(Vec<Credentials>),
}

impl Crowd {
    fn gather(contestant: &Contestant, size: usize) -> Self {
        match contestant {
            Contestant::BuiltIn(one) => {
                Self::BuiltIn((0..size).map(|_| one.provider.subscribe()).collect())
            }
            Contestant::Ours(one) => {
                Self::Ours((0..size).map(|_| one.manager.credentials()).collect())
            }
        }
    }

    /// Has each take what there is. Says how many have taken something.
    fn look(&mut self) -> usize {
        match self {
            Self::BuiltIn(all) => all.iter_mut().filter_map(look).count(),
            Self::Ours(all) => all.iter_mut().filter_map(look).count(),
        }
    }
}

fn look(mut stream: impl Stream + Unpin) -> Option<()> {
    let cx = &mut Context::from_waker(Waker::noop());
    let mut taken = None;
    while Pin::new(&mut stream).poll_next(cx).is_ready() {
        taken = Some(());
    }
    taken
}

fn measure(bench: &Bench) -> Measured {
    let size = bench.pick(10_000, 1_000);
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let _inside = runtime.enter();
    let identity = Arc::new(Instantly::new(Plan::HOUR.lifetime));
    let contestant = Contestant::with(bench.side, identity, "redis://127.0.0.1", Plan::HOUR);
    runtime.block_on(async {
        // The token comes.
        for _ in 0..1000 {
            yield_now().await;
        }
    });
    let (mut crowd, mut reached) = (None, 0);
    let gathered = allocation_counter::measure(|| {
        let mut all = Crowd::gather(&contestant, size);
        reached = all.look();
        crowd = Some(all);
    });
    assert_eq!(reached, size, "everyone has the token");
    let dropped = allocation_counter::measure(|| drop(crowd.take()));
    let each = |bytes: i64| bytes as f64 / size as f64;
    Measured::default()
        .with(&BYTES, each(gathered.bytes_current))
        .with(&LEFT, each(gathered.bytes_current + dropped.bytes_current))
}
