//! What the sink and the stream of one subscriber share.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::redis::{Msg, RedisError, RedisResult};
use futures_util::future::{Either, FutureExt, select};
use redis_authx::{ConnectionStatus, Runtime, Token};
use redis_authx_session::handover::{Backlog, Kind, Outlet};
use redis_authx_session::{SubscribeError, Subscriber, SubscriberConnector as _};

use super::super::client::AuthClient;
use super::super::error;
use super::super::log_in::log_in;
use super::connector::PubSubConnector;
use super::feed;

pub(super) struct Shared {
    client: AuthClient,
    subscriber: Subscriber<PubSubConnector>,
    pub(super) backlog: Arc<Backlog<Msg>>,
}

impl Shared {
    /// Opens a connection that logs in, and starts the subscriber.
    pub(super) async fn open(client: AuthClient) -> RedisResult<Arc<Self>> {
        let inner = &client.0;
        let (reauth, runtime) = (&inner.reauth, inner.reauth.runtime());
        let connector = PubSubConnector::new(&client);
        let open = |token: Token| {
            let connector = &connector;
            async move {
                let opened = connector.open(&token);
                within(runtime, reauth.policy().replace_timeout(), opened).await
            }
            .boxed()
        };
        let (opened, token) =
            log_in(reauth.credentials(), runtime, inner.login_timeout, open).await?;
        let backlog = Arc::new(Backlog::new(Backlog::<Msg>::DEFAULT_LIMIT));
        let outlet = ToApplication(Arc::clone(&backlog));
        let wait = inner.reconnect_wait;
        let subscriber = Subscriber::spawn(reauth, connector, opened, &token, wait, outlet);
        Ok(Arc::new(Self {
            subscriber: subscriber.map_err(error::not_spawned)?,
            client,
            backlog,
        }))
    }

    pub(super) async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> RedisResult<()> {
        let subscribed = self.subscriber.subscribe(kind, names).await;
        subscribed.map_err(not_subscribed)
    }

    pub(super) async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> RedisResult<()> {
        let unsubscribed = self.subscriber.unsubscribe(kind, names).await;
        unsubscribed.map_err(not_subscribed)
    }

    pub(super) fn status(&self) -> ConnectionStatus {
        let status = self.subscriber.status();
        status.expect("it is closed when it is dropped, not before")
    }
}

/// Where messages go.
struct ToApplication(Arc<Backlog<Msg>>);

impl Outlet<Msg> for ToApplication {
    fn deliver(&self, message: Msg) {
        let bytes = feed::size(&message);
        self.0.push(message, bytes);
    }

    fn gap(&self) {
        self.0.push_gap();
    }

    fn end(&self) {
        self.0.end();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthPubSub")
            .field("client", &self.client)
            .field("status", &self.status())
            .field("gaps", &self.backlog.gaps())
            .finish_non_exhaustive()
    }
}

fn not_subscribed(error: SubscribeError<RedisError>) -> RedisError {
    match error {
        SubscribeError::Client(error) => error,
        SubscribeError::NoToken(error) => error::no_token(error),
        SubscribeError::NotConnected(latest) => error::not_connected(latest.as_ref()),
        _ => closed(),
    }
}

pub(super) fn closed() -> RedisError {
    io::Error::from(io::ErrorKind::BrokenPipe).into()
}

/// Fails with a time-out when `answer` takes longer than `limit`.
async fn within<T>(
    runtime: &Arc<dyn Runtime>,
    limit: Duration,
    answer: impl Future<Output = RedisResult<T>>,
) -> RedisResult<T> {
    let sleep = runtime.sleep_until(runtime.now() + limit);
    match select(pin!(answer), sleep).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
    }
}
