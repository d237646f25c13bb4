//! Subscribers of both clients and both sides, as streams of numbers.

use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use futures::stream::BoxStream;
use futures::{Stream, StreamExt, stream};
use redis::auth::StreamingCredentialsProvider;
use redis::{Client, IntoConnectionInfo, Msg};
use redis_authx_emulator::Emulator;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::CHANNEL;
use crate::compare::fred_clients::{FredContestant, FredSubscriber};
use crate::compare::redis_clients::{BuiltIn, Contestant, Ours};
use crate::redis::unlimited;

/// What the subscriber speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Resp2,
    Resp3,
}

impl Protocol {
    pub(super) fn url(self, emulator: &Emulator) -> String {
        let url = emulator.redis_url().trim_end_matches('/');
        match self {
            Self::Resp2 => url.to_owned(),
            Self::Resp3 => format!("{url}/?protocol=resp3"),
        }
    }
}

/// Of redis-rs.
pub(super) async fn of_client(
    contestant: &Contestant,
    protocol: Protocol,
    url: &str,
) -> BoxStream<'static, usize> {
    match (contestant, protocol) {
        (Contestant::BuiltIn(one), Protocol::Resp2) => built_in(one, url).await.boxed(),
        (Contestant::BuiltIn(one), Protocol::Resp3) => pushed(one).await.boxed(),
        (Contestant::Ours(one), _) => ours(one).await.boxed(),
    }
}

/// redis-rs without either side's help.
pub(super) fn client(url: &str, user: &str, password: &str) -> Client {
    let info = url.into_connection_info().expect("a URL");
    let settings = info.redis_settings().clone();
    let settings = settings.set_username(user).set_password(password);
    Client::open(info.set_redis_settings(settings)).expect("a client")
}

async fn built_in(one: &BuiltIn, url: &str) -> impl Stream<Item = usize> + Send + use<> {
    let credentials = one.provider.subscribe().next().await;
    let login = credentials.expect("a token").expect("a token");
    let client = client(url, login.username(), login.password());
    let mut subscriber = client.get_async_pubsub().await.expect("a connection");
    let subscribed = subscriber.subscribe(CHANNEL).await;
    subscribed.expect("a subscription");
    subscriber.into_on_message().map(|message| number(&message))
}

/// The subscription lasts as long as the stream.
async fn pushed(one: &BuiltIn) -> impl Stream<Item = usize> + Send + use<> {
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

async fn ours(one: &Ours) -> impl Stream<Item = usize> + Send + use<> {
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

/// Of fred, over RESP2. It lasts as long as the stream, which holds the client.
pub(super) async fn of_fred(contestant: &FredContestant) -> BoxStream<'static, usize> {
    let subscriber = contestant.subscriber();
    let incoming = match &subscriber {
        FredSubscriber::BuiltIn(client) => {
            client.init().await.expect("a connection");
            let incoming = client.message_rx();
            let subscribed = client.subscribe(CHANNEL).await;
            subscribed.expect("a subscription");
            drop(client.manage_subscriptions());
            incoming
        }
        FredSubscriber::Ours(client) => {
            client.init().await.expect("a connection");
            let incoming = client.message_rx();
            let subscribed = client.subscribe(CHANNEL).await;
            subscribed.expect("a subscription");
            incoming
        }
    };
    let parts = (subscriber, incoming);
    let numbers = stream::unfold(parts, async |(subscriber, mut incoming)| {
        let message = loop {
            match incoming.recv().await {
                Ok(message) => break message,
                // Some were dropped for want of room: they are lost.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        };
        let number: u64 = message.value.convert().expect("a number");
        let number = usize::try_from(number).expect("a small one");
        Some((number, (subscriber, incoming)))
    });
    numbers.boxed()
}
