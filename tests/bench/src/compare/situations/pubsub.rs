//! A subscriber, while tokens rotate.

use std::future::Future;
use std::time::Duration;

use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use futures::{Stream, StreamExt, stream};
use redis::auth::StreamingCredentialsProvider;
use redis::{Client, IntoConnectionInfo, Msg, cmd};
use redis_authx_emulator::Emulator;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, timeout_at};

use crate::compare::bench::Bench;
use crate::compare::fred_clients::FredContestant;
use crate::compare::measured::Measured;
use crate::compare::plan::Plan;
use crate::compare::redis_clients::{BuiltIn, Contestant, Ours};
use crate::compare::row::{Row, Unit};
use crate::compare::situation::{Clients, Rounds, Situation, no_plots};
use crate::redis::unlimited;

pub(crate) const SITUATIONS: &[Situation] = &[
    Situation {
        name: "pubsub-resp2",
        title: "RESP2 pub/sub across rotations",
        about: "A message every 10 ms to one subscriber, and a token every second that is good \
                for four. `get_async_pubsub` of redis-rs does not ask the built-in: it is given \
                the current token as its password, which is all that it can be given.",
        clients: Clients::Redis,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: |bench| of_redis(bench, Protocol::Resp2),
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
        measure: |bench| of_redis(bench, Protocol::Resp3),
        plots: no_plots,
    },
    Situation {
        name: "fred-pubsub-resp2",
        title: "RESP2 pub/sub across rotations",
        about: "A message every 10 ms to one `SubscriberClient` that manages its subscriptions, \
                and a token every second that is good for four.",
        clients: Clients::Fred,
        rounds: Rounds::full(3),
        limit: Duration::from_secs(40),
        measure: of_fred,
        plots: no_plots,
    },
];

static LOST: Row = Row::lower("messages lost", Unit::Count).in_short();
static DOUBLED: Row = Row::lower("messages that came twice", Unit::Count);

const CHANNEL: &str = "news";
const PACE: Duration = Duration::from_millis(10);
/// How long the last messages are waited for.
const LAST: Duration = Duration::from_millis(500);

/// What the subscriber speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Resp2,
    Resp3,
}

/// How many of each message came.
struct Came(Vec<u32>);

fn messages(bench: &Bench) -> usize {
    bench.pick(1000, 100)
}

/// Publishes so many numbers and counts those that come.
async fn count<F>(
    messages: usize,
    publish: impl Fn(usize) -> F + Send + Sync,
    incoming: impl Stream<Item = usize> + Send,
) -> Came
where
    F: Future<Output = ()> + Send,
{
    let mut pace = interval(PACE);
    let sending = async {
        for number in 0..messages {
            pace.tick().await;
            publish(number).await;
        }
    };
    let end = Instant::now() + PACE * u32::try_from(messages).unwrap_or(u32::MAX) + LAST;
    let receiving = async {
        let mut came = vec![0; messages];
        let mut incoming = std::pin::pin!(incoming);
        while let Ok(Some(number)) = timeout_at(end, incoming.next()).await {
            came[number] += 1;
        }
        came
    };
    let ((), came) = tokio::join!(sending, receiving);
    Came(came)
}

impl Came {
    fn measured(&self) -> Measured {
        let lost = self.0.iter().filter(|times| **times == 0).count();
        let doubled = self.0.iter().filter(|times| **times > 1).count();
        Measured::default()
            .of(&LOST, lost, self.0.len())
            .with(&DOUBLED, doubled as f64)
    }
}

fn of_redis(bench: &Bench, protocol: Protocol) -> Measured {
    let emulator = bench.gateway(Plan::EVERY_SECOND);
    let came = bench.run(async {
        let (url, plan) = (url(&emulator, protocol), Plan::EVERY_SECOND);
        let contestant = Contestant::start(bench.side, &emulator, &url, plan);
        let publisher = contestant.multiplexed(unlimited()).await;
        let publisher = publisher.expect("a connection");
        let publish = |number: usize| {
            let mut publisher = publisher.clone();
            async move {
                let mut command = cmd("PUBLISH");
                command.arg(CHANNEL).arg(number);
                let sent = command.exec_async(&mut publisher).await;
                sent.expect("it is published");
            }
        };
        let incoming = match (&contestant, protocol) {
            (Contestant::BuiltIn(one), Protocol::Resp2) => built_in(one, &url).await.boxed(),
            (Contestant::BuiltIn(one), Protocol::Resp3) => pushed(one).await.boxed(),
            (Contestant::Ours(one), _) => ours(one).await.boxed(),
        };
        count(messages(bench), publish, incoming).await
    });
    came.measured()
}

fn url(emulator: &Emulator, protocol: Protocol) -> String {
    let url = emulator.redis_url().trim_end_matches('/');
    match protocol {
        Protocol::Resp2 => url.to_owned(),
        Protocol::Resp3 => format!("{url}/?protocol=resp3"),
    }
}

/// The subscription lasts as long as the stream.
async fn pushed(one: &BuiltIn) -> impl Stream<Item = usize> + Send {
    let (sender, pushes) = mpsc::unbounded_channel();
    let config = unlimited().set_push_sender(sender);
    let mut connection = one.multiplexed(config).await.expect("a connection");
    let subscribed = connection.subscribe(CHANNEL).await;
    subscribed.expect("a subscription");
    let pushes = (connection, pushes);
    stream::unfold(pushes, async |(connection, mut pushes)| {
        loop {
            if let Some(message) = Msg::from_push_info(pushes.recv().await?) {
                return Some((number(&message), (connection, pushes)));
            }
        }
    })
}

async fn built_in(one: &BuiltIn, url: &str) -> impl Stream<Item = usize> + Send {
    let credentials = one.provider.subscribe().next().await;
    let login = credentials.expect("a token").expect("a token");
    let info = url.into_connection_info().expect("a URL");
    let settings = info.redis_settings().clone();
    let settings = settings
        .set_username(login.username())
        .set_password(login.password());
    let client = Client::open(info.set_redis_settings(settings)).expect("a client");
    let mut subscriber = client.get_async_pubsub().await.expect("a connection");
    let subscribed = subscriber.subscribe(CHANNEL).await;
    subscribed.expect("a subscription");
    subscriber.into_on_message().map(|message| number(&message))
}

async fn ours(one: &Ours) -> impl Stream<Item = usize> + Send {
    let subscriber = one.client.pubsub().await.expect("a connection");
    let subscribed = subscriber.subscribe(CHANNEL).await;
    subscribed.expect("a subscription");
    stream::unfold(subscriber, async |mut subscriber| {
        let message = subscriber.next().await?;
        Some((number(&message), subscriber))
    })
}

fn number(message: &Msg) -> usize {
    message.get_payload().expect("a number")
}

fn of_fred(bench: &Bench) -> Measured {
    let emulator = bench.gateway(Plan::EVERY_SECOND);
    let came = bench.run(async {
        let (url, plan) = (emulator.redis_url(), Plan::EVERY_SECOND);
        let contestant = FredContestant::start(bench.side, &emulator, url, plan);
        let publisher = contestant.connected().await;
        let subscriber = contestant.subscriber();
        subscriber.init().await.expect("a connection");
        let incoming = subscriber.message_rx();
        let subscribed = subscriber.subscribe(CHANNEL).await;
        subscribed.expect("a subscription");
        drop(subscriber.manage_subscriptions());
        let incoming = stream::unfold(incoming, async |mut incoming| {
            let message = incoming.recv().await.ok()?;
            let number: u64 = message.value.convert().expect("a number");
            Some((usize::try_from(number).expect("a small one"), incoming))
        });
        let publish = |number: usize| {
            let publisher = publisher.clone();
            async move {
                let sent = publisher.publish(CHANNEL, number.to_string()).await;
                sent.expect("it is published")
            }
        };
        count(messages(bench), publish, incoming).await
    });
    came.measured()
}
