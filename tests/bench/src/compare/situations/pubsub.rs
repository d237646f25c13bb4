//! A subscriber, while tokens rotate.

mod subscribers;

use std::pin::pin;
use std::time::Duration;

use futures::stream::BoxStream;
use futures::{StreamExt, future};
use redis::cmd;
use redis_authx_emulator::Emulator;
use tokio::time::{interval, sleep};

use crate::compare::bench::Bench;
use crate::compare::fred_clients::FredContestant;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::Contestant;
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};
use crate::redis::unlimited;
use subscribers::{Protocol, of_client, of_fred};

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "pubsub-resp2",
        title: "RESP2 pub/sub across rotations",
        about: "A message every 10 ms to one subscriber, and a token every second that is good \
                for eight. `get_async_pubsub` of redis-rs does not ask the built-in: it is given \
                the current token as its password, which is all that it can be given.",
        clients: Clients::Redis,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: |bench| over_redis_rs(bench, Protocol::Resp2),
        plots: no_plots,
    },
    Situation {
        name: "pubsub-resp3",
        title: "RESP3 pub/sub across rotations",
        about: "The same over RESP3: the built-in's is a multiplexed connection with a push \
                sender, which can re-authenticate while it subscribes.",
        clients: Clients::Redis,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: |bench| over_redis_rs(bench, Protocol::Resp3),
        plots: no_plots,
    },
    Situation {
        name: "fred-pubsub-resp2",
        title: "RESP2 pub/sub across rotations",
        about: "A message every 10 ms to one subscriber, and a token every second that is good \
                for eight. Over RESP2 it can't send `AUTH`. fred's `SubscriberClient`, which \
                manages its subscriptions, is cut off when its token expires, reconnects and \
                has missed what came in between; our `AuthSubscriber` hands over before.",
        clients: Clients::Fred,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: over_fred,
        plots: no_plots,
    },
];

static LOST: Row = Row::lower("messages lost", Unit::Count).in_short();
static DOUBLED: Row = Row::lower("messages that came twice", Unit::Count);

const PLAN: Plan = Plan::short(Duration::from_secs(8), Duration::from_secs(1));
const CHANNEL: &str = "news";
const PACE: Duration = Duration::from_millis(10);
/// How long the last messages are waited for.
const LAST: Duration = Duration::from_millis(500);

fn over_redis_rs(bench: &Bench, protocol: Protocol) -> Measured {
    let emulator = bench.gateway(PLAN);
    let came = bench.run(async {
        let url = protocol.url(&emulator);
        let contestant = Contestant::start(bench.side, &emulator, &url, PLAN);
        let incoming = of_client(&contestant, protocol, &url).await;
        publish(&emulator, bench.pick(1400, 100), incoming).await
    });
    measured(&came)
}

fn over_fred(bench: &Bench) -> Measured {
    let emulator = bench.gateway(PLAN);
    let came = bench.run(async {
        let url = emulator.redis_url();
        let contestant = FredContestant::start(bench.side, &emulator, url, PLAN);
        let incoming = of_fred(&contestant).await;
        publish(&emulator, bench.pick(1400, 100), incoming).await
    });
    measured(&came)
}

/// Publishes so many numbers, by a connection that needs no other token, and
/// counts how often each comes.
async fn publish(
    emulator: &Emulator,
    messages: usize,
    mut incoming: BoxStream<'static, usize>,
) -> Vec<u32> {
    let token = emulator.issue_token(Duration::from_secs(3600));
    let client = subscribers::client(emulator.redis_url(), emulator.object_id(), &token);
    let config = unlimited();
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    let mut publisher = opened.await.expect("a connection");
    let sending = async {
        let mut pace = interval(PACE);
        for number in 0..messages {
            pace.tick().await;
            let mut command = cmd("PUBLISH");
            command.arg(CHANNEL).arg(number);
            let sent = command.exec_async(&mut publisher).await;
            sent.expect("it is published");
        }
        sleep(LAST).await;
    };
    let mut came = vec![0; messages];
    let receiving = async {
        while let Some(number) = incoming.next().await {
            came[number] += 1;
        }
        // No more will come.
        future::pending::<()>().await;
    };
    future::select(pin!(sending), pin!(receiving)).await;
    came
}

fn measured(came: &[u32]) -> Measured {
    let lost = came.iter().filter(|times| **times == 0).count();
    let doubled = came.iter().filter(|times| **times > 1).count();
    Measured::default()
        .of(&LOST, lost, came.len())
        .with(&DOUBLED, doubled as f64)
}
