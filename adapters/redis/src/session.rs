//! What the clones of one connection share, and how it is re-authenticated.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use event_listener::Event;
use futures::future::{Either, select};
use redis::aio::MultiplexedConnection;
use redis::RedisResult;
use redis_authx::reauth::{ReauthError, ReauthErrorKind, Reauthenticator, Registration, Session};
use redis_authx::{Token, async_trait};

use crate::client::AuthClient;
use crate::connector::Connector;
use crate::error;
use crate::gate::Passing;
use crate::link::Link;
use crate::outcome::{Outcome, Replies};
use crate::transaction::Effect;

/// An `AUTH` is cut off by the re-authenticator, not by redis-rs's time limit
/// for ordinary commands.
const NO_LIMIT: Duration = Duration::from_secs(3600);

/// How long an `AUTH` waits for a transaction to end before it says so.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Shared {
    client: AuthClient,
    connector: Connector,
    link: ArcSwap<Link>,
    replaced: Event,
    /// How long a command waits for a lost connection to be back.
    wait: Duration,
    registration: OnceLock<Registration>,
}

impl Shared {
    pub(crate) fn new(
        client: &AuthClient,
        connector: Connector,
        connection: MultiplexedConnection,
        wait: Duration,
    ) -> Arc<Self> {
        Arc::new(Self {
            client: client.clone(),
            connector,
            link: ArcSwap::from_pointee(Link::new(connection)),
            replaced: Event::new(),
            wait,
            registration: OnceLock::new(),
        })
    }

    pub(crate) fn register(self: &Arc<Self>, reauth: &Reauthenticator, token: &Token) {
        let session: Weak<dyn Session> = Arc::<Self>::downgrade(self);
        self.registration
            .get_or_init(|| reauth.register(session, token));
    }

    pub(crate) fn registration(&self) -> Option<&Registration> {
        self.registration.get()
    }

    pub(crate) fn db(&self) -> i64 {
        self.connector.db()
    }

    /// Runs one request on the link in place, and takes note of how it ended.
    pub(crate) async fn request<T, F, R>(&self, effect: Effect, send: F) -> RedisResult<T>
    where
        F: FnOnce(MultiplexedConnection) -> R + Send,
        R: Future<Output = RedisResult<T>> + Send,
        T: Replies + Send,
    {
        let (link, passing) = self.enter(effect).await?;
        let result = send(link.connection()).await;
        let outcome = Outcome::of(&result);
        let ready = link.gate.after(passing, outcome);
        let lost = outcome == Outcome::Lost && link.lose() && self.is_in_place(&link);
        if let Some(registration) = self.registration() {
            if ready {
                registration.ready();
            }
            if lost {
                registration.lost();
            }
        }
        result
    }

    /// The link in place, once a command of this effect may be sent on it.
    async fn enter(&self, effect: Effect) -> RedisResult<(Arc<Link>, Passing)> {
        loop {
            let mut link = self.link.load_full();
            if link.is_lost() {
                link = self.wait_for_link().await?;
            }
            let passing = link.gate.before(effect).await;
            // A MULTI may have waited for an AUTH, and in vain.
            if self.is_in_place(&link) {
                return Ok((link, passing));
            }
        }
    }

    fn is_in_place(&self, link: &Arc<Link>) -> bool {
        Arc::ptr_eq(&self.link.load(), link)
    }

    /// A link that is not lost, within the limit for that. Without a valid
    /// token there is nothing to wait for: the error says why there is none.
    async fn wait_for_link(&self) -> RedisResult<Arc<Link>> {
        let runtime = &self.client.0.runtime;
        let mut limit = pin!(runtime.sleep_until(runtime.now() + self.wait));
        loop {
            let mut replaced = pin!(self.replaced.listen());
            let link = self.link.load_full();
            if !link.is_lost() {
                return Ok(link);
            }
            self.client
                .credentials()
                .current()
                .map_err(error::no_token)?;
            if let Either::Right(_) = select(replaced.as_mut(), limit.as_mut()).await {
                let status = self.registration().map(Registration::status);
                let latest = status.and_then(|status| status.last_error);
                return Err(error::not_connected(latest.as_ref()));
            }
        }
    }
}

#[async_trait]
impl Session for Shared {
    fn is_connected(&self) -> bool {
        !self.link.load().is_lost()
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        let link = self.link.load_full();
        if link.is_lost() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        let runtime = &self.client.0.runtime;
        let patience = runtime.sleep_until(runtime.now() + PATIENCE);
        let Either::Left((_passage, _)) = select(pin!(link.gate.pass()), patience).await else {
            link.gate.defer();
            return Err(ReauthErrorKind::Busy.into());
        };
        let mut connection = link.connection();
        connection.set_response_timeout(NO_LIMIT);
        let mut auth = redis::cmd("AUTH");
        auth.arg(token.username()).arg(token.password());
        auth.query_async::<()>(&mut connection)
            .await
            .map_err(|error| {
                if error::is_lost(&error) {
                    // Told to the re-authenticator by this very error.
                    link.lose();
                }
                error::reauth(error)
            })
    }

    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let connection = self.connector.connect(token).await.map_err(error::reauth)?;
        self.link.store(Arc::new(Link::new(connection)));
        self.replaced.notify(usize::MAX);
        Ok(())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthConnection")
            .field("client", &self.client)
            .field("registration", &self.registration)
            .finish_non_exhaustive()
    }
}
