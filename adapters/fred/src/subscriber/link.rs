//! One connection that subscribes, over RESP2 or RESP3.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::{Client, Pipeline};
use fred::error::{Error, ErrorKind};
use fred::interfaces::{ClientLike, PubsubInterface, Resp3Frame};
use fred::types::config::Server;
use fred::types::{ClusterHash, CustomCommand, Key, RespVersion, Value};
use redis_authx::{Clock as _, ReauthError, Runtime, Token, async_trait};
use redis_authx_session::handover::{self, Health, Kind, Link as _, Marker, NAMES_PER_COMMAND};
use tokio::task::AbortHandle;

use super::feed::Feed;
use super::messages::Messages;
use crate::auth::{auth, patient, says};
use crate::dial::Dial;

/// How long the first and the longest wait for stray replies are.
const STRAYS: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(500));

/// What is sent on it. The socket lives as long as the [`Feed`].
pub(super) struct Link {
    health: Health,
    client: Client,
    connected: AbortHandle,
    runtime: Arc<dyn Runtime>,
    pings: AtomicU64,
}

/// Why a link did not do something.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server answered, with an error.
    Refused(Error),
    /// There is no answer: the connection is of no more use.
    Lost(Error),
}

impl Failure {
    /// Without a log-in, a connection has no more answers than one that is gone.
    fn of_server(error: Error) -> Self {
        if error.details().starts_with("NOAUTH") {
            Self::Lost(error)
        } else {
            Self::Refused(error)
        }
    }

    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Refused(error) | Self::Lost(error) => error,
        }
    }
}

impl Link {
    /// Opens one that logs in with `token`.
    pub(super) async fn open(
        dial: &Dial,
        token: &Token,
        runtime: Arc<dyn Runtime>,
        messages: &Arc<Messages>,
    ) -> Result<(Self, Feed), Error> {
        let (client, connected) = dial.open(token).await?;
        let link = Self {
            health: Health::default(),
            connected: connected.handle(),
            client: client.clone(),
            runtime,
            pings: AtomicU64::new(0),
        };
        let feed = Feed::of(&client, connected, Arc::clone(messages));
        Ok((link, feed))
    }

    /// fred's name for it.
    pub(super) fn id(&self) -> &str {
        self.client.id()
    }

    pub(super) fn server(&self) -> Option<Server> {
        let active = self.client.active_connections().into_iter().next();
        active.or_else(|| {
            self.client
                .client_config()
                .server
                .hosts()
                .into_iter()
                .next()
        })
    }

    pub(super) async fn auth(&self, token: &Token) -> Result<(), ReauthError> {
        auth(&self.client, ClusterHash::Random, token).await
    }

    /// Sends what is in `commands`, and waits until the server has answered it.
    ///
    /// fred says that a subscription is done before it has sent it, drops the
    /// server's confirmation, and takes a refusal for the answer to whatever
    /// command is waiting for one. So a `PING` follows in the same breath, to get
    /// it; and as its own reply is then one too many, each is told by what was
    /// sent with it. Once the right one has come, there are no stray ones.
    async fn settled(&self, mut commands: Pipeline<Client>) -> Result<(), Failure> {
        let mut refusal = Ok(());
        let (mut pause, longest) = STRAYS;
        loop {
            let number = self.pings.fetch_add(1, Ordering::Relaxed).to_string();
            let ping = CustomCommand::new_static("PING", ClusterHash::Random, false);
            let queued = commands.custom(ping, vec![number.as_str()]).await;
            let () = queued.map_err(Failure::Lost)?;
            match commands.last::<Value>().await {
                Ok(reply) if says(&reply, &number) => return refusal,
                Ok(_) => {}
                Err(error) if self.connected.is_finished() => return Err(Failure::Lost(error)),
                Err(error) => refusal = Err(Failure::of_server(error)),
            }
            let now = self.runtime.now();
            self.runtime.sleep_until(now + pause).await;
            pause = longest.min(pause * 2);
            commands = self.client.pipeline();
        }
    }

    /// One at a time, as fred wants them: their confirmations are replies.
    async fn subscribe_to_shards(&self, names: Vec<Key>) -> Result<(), Failure> {
        for name in names {
            let arguments = vec![Value::Bytes(name.into_bytes())];
            send(&self.client, "SSUBSCRIBE", arguments).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl handover::Link for Link {
    type Error = Failure;

    fn health(&self) -> &Health {
        &self.health
    }

    fn takes_commands(&self) -> bool {
        self.client.protocol_version() == RespVersion::RESP3
    }

    async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Failure> {
        let commands = self.client.pipeline();
        for names in names.chunks(NAMES_PER_COMMAND) {
            let names = keys(names);
            let queued = match kind {
                Kind::Channel => commands.subscribe(names).await,
                Kind::Pattern => commands.psubscribe(names).await,
                Kind::Shard => {
                    self.subscribe_to_shards(names).await?;
                    continue;
                }
            };
            queued.map_err(Failure::Lost)?;
        }
        self.settled(commands).await
    }

    async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Failure> {
        let commands = self.client.pipeline();
        for names in names.chunks(NAMES_PER_COMMAND) {
            let names = keys(names);
            let queued = match kind {
                Kind::Channel => commands.unsubscribe(names).await,
                Kind::Pattern => commands.punsubscribe(names).await,
                Kind::Shard => commands.sunsubscribe(names).await,
            };
            queued.map_err(Failure::Lost)?;
        }
        self.settled(commands).await
    }

    async fn ping(&self) -> Result<(), Failure> {
        self.settled(self.client.pipeline()).await
    }

    fn is_error_reply(error: &Failure) -> bool {
        matches!(error, Failure::Refused(_))
    }

    fn closed_error() -> Failure {
        Failure::Lost(closed())
    }
}

/// Publishes a marker, over a connection that subscribes to nothing in RESP2.
pub(super) async fn publish(
    marker: &Marker,
    link: &Link,
    dial: &Dial,
    token: &Token,
) -> Result<(), Failure> {
    let arguments = vec![marker.channel().into(), Marker::PAYLOAD.into()];
    if link.takes_commands() {
        send(&link.client, "PUBLISH", arguments).await?;
    } else {
        let (client, connected) = dial.open(token).await.map_err(Failure::Lost)?;
        send(&client, "PUBLISH", arguments).await?;
        drop(connected);
    }
    Ok(())
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Canceled, "the subscriber has ended")
}

/// Sends a command, and tells the server's refusals from all other errors.
async fn send(
    client: &Client,
    command: &'static str,
    arguments: Vec<Value>,
) -> Result<Resp3Frame, Failure> {
    let command = CustomCommand::new_static(command, ClusterHash::Random, false);
    let client = client.with_options(&patient());
    let sent = client.custom_raw(command, arguments).await;
    let why = match sent.map_err(Failure::Lost)? {
        Resp3Frame::SimpleError { data, .. } => data.to_string(),
        Resp3Frame::BlobError { data, .. } => String::from_utf8_lossy(&data).into_owned(),
        reply => return Ok(reply),
    };
    Err(Failure::of_server(Error::new(ErrorKind::Unknown, why)))
}

fn keys(names: &[Vec<u8>]) -> Vec<Key> {
    names
        .iter()
        .map(|name| Key::from(name.as_slice()))
        .collect()
}
