//! One connection that subscribes, over RESP2 or RESP3.

use std::time::Duration;

use super::redis::aio::{ConnectionLike, MultiplexedConnection, PubSubSink};
use super::redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, ProtocolVersion, PushInfo,
    RedisError, RedisResult, Value, cmd, pipe,
};
use futures_channel::mpsc;
use redis_authx::{Token, async_trait};
use redis_authx_session::handover::{self, Health, Kind, Marker, NAMES_PER_COMMAND};

use super::super::{error, target};
use super::feed::Feed;
use super::shared::closed;

/// Whoever waits sets the limit.
const NO_LIMIT: Duration = Duration::from_secs(3600);

/// What is sent on it. The socket lives as long as the [`Feed`] in RESP2, and
/// as long as this in RESP3.
pub(super) struct Link {
    health: Health,
    wire: Wire,
}

enum Wire {
    Resp2(PubSubSink),
    Resp3(MultiplexedConnection),
}

impl Link {
    /// Opens one that logs in with `token`.
    pub(super) async fn open(
        info: &ConnectionInfo,
        protocol: ProtocolVersion,
        token: &Token,
    ) -> RedisResult<(Self, Feed)> {
        let client = client(info, protocol, token)?;
        let (wire, feed) = if protocol.supports_resp3() {
            let (sender, receiver) = mpsc::unbounded();
            let config = AsyncConnectionConfig::new()
                .set_push_sender(move |push: PushInfo| sender.unbounded_send(push))
                .set_connection_timeout(Some(NO_LIMIT))
                .set_response_timeout(Some(NO_LIMIT));
            let connection = client.get_multiplexed_async_connection_with_config(&config);
            (Wire::Resp3(connection.await?), Feed::Resp3(receiver))
        } else {
            let (sink, stream) = client.get_async_pubsub().await?.split();
            (Wire::Resp2(sink), Feed::Resp2(stream))
        };
        let link = Self {
            health: Health::default(),
            wire,
        };
        Ok((link, feed))
    }

    /// The connection, where it can take commands beside its subscriptions.
    pub(super) fn connection(&self) -> Option<MultiplexedConnection> {
        match &self.wire {
            Wire::Resp2(_) => None,
            Wire::Resp3(connection) => Some(connection.clone()),
        }
    }
}

#[async_trait]
impl handover::Link for Link {
    type Error = RedisError;

    fn health(&self) -> &Health {
        &self.health
    }

    fn takes_commands(&self) -> bool {
        matches!(self.wire, Wire::Resp3(_))
    }

    /// redis-rs has neither command nor message of sharded channels in RESP2.
    fn supports(&self, kind: Kind) -> bool {
        kind != Kind::Shard || self.takes_commands()
    }

    async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> RedisResult<()> {
        for names in names.chunks(NAMES_PER_COMMAND) {
            match (&self.wire, kind) {
                (Wire::Resp2(sink), Kind::Channel) => sink.clone().subscribe(names).await?,
                (Wire::Resp2(sink), Kind::Pattern) => sink.clone().psubscribe(names).await?,
                (Wire::Resp2(_), Kind::Shard) => return Err(not_in_resp2()),
                (Wire::Resp3(it), Kind::Channel) => it.clone().subscribe(names).await?,
                (Wire::Resp3(it), Kind::Pattern) => it.clone().psubscribe(names).await?,
                (Wire::Resp3(it), Kind::Shard) => each(it, "SSUBSCRIBE", names).await?,
            }
        }
        Ok(())
    }

    async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> RedisResult<()> {
        for names in names.chunks(NAMES_PER_COMMAND) {
            match (&self.wire, kind) {
                (Wire::Resp2(sink), Kind::Channel) => sink.clone().unsubscribe(names).await?,
                (Wire::Resp2(sink), Kind::Pattern) => sink.clone().punsubscribe(names).await?,
                (Wire::Resp2(_), Kind::Shard) => return Err(not_in_resp2()),
                (Wire::Resp3(it), Kind::Channel) => it.clone().unsubscribe(names).await?,
                (Wire::Resp3(it), Kind::Pattern) => it.clone().punsubscribe(names).await?,
                (Wire::Resp3(it), Kind::Shard) => each(it, "SUNSUBSCRIBE", names).await?,
            }
        }
        Ok(())
    }

    async fn ping(&self) -> RedisResult<()> {
        match &self.wire {
            Wire::Resp2(sink) => sink.clone().ping().await,
            Wire::Resp3(connection) => cmd("PING").exec_async(&mut connection.clone()).await,
        }
    }

    fn is_error_reply(error: &RedisError) -> bool {
        error.code().is_some() && !error::is_lost(error)
    }

    fn closed_error() -> RedisError {
        closed()
    }
}

/// Publishes a marker, over a connection that subscribes to nothing in RESP2.
pub(super) async fn publish(
    marker: &Marker,
    link: &Link,
    info: &ConnectionInfo,
    token: &Token,
) -> RedisResult<()> {
    let mut connection = match link.connection() {
        Some(connection) => connection,
        None => another(info, token).await?,
    };
    let mut command = cmd("PUBLISH");
    command.arg(marker.channel()).arg(Marker::PAYLOAD);
    command.exec_async(&mut connection).await
}

/// A connection that subscribes to nothing.
pub(super) async fn another(
    info: &ConnectionInfo,
    token: &Token,
) -> RedisResult<MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(NO_LIMIT))
        .set_response_timeout(Some(NO_LIMIT));
    let client = client(info, info.redis_settings().protocol(), token)?;
    client
        .get_multiplexed_async_connection_with_config(&config)
        .await
}

/// One command a name, as names of several slots can't share one.
async fn each(
    connection: &MultiplexedConnection,
    command: &str,
    names: &[Vec<u8>],
) -> RedisResult<()> {
    let mut pipeline = pipe();
    for name in names {
        pipeline.cmd(command).arg(name);
    }
    let mut connection = connection.clone();
    let replies = connection.req_packed_commands(&pipeline, 0, names.len());
    for reply in replies.await? {
        if let Value::ServerError(error) = reply {
            return Err(error.into());
        }
    }
    Ok(())
}

fn client(info: &ConnectionInfo, protocol: ProtocolVersion, token: &Token) -> RedisResult<Client> {
    let info = target::with_credentials(info, token);
    let settings = info.redis_settings().clone().set_protocol(protocol);
    Client::open(info.set_redis_settings(settings))
}

fn not_in_resp2() -> RedisError {
    RedisError::from((
        ErrorKind::InvalidClientConfig,
        "sharded channels need RESP3",
    ))
}
