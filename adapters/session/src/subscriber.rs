//! A subscriber: its subscriptions outlive each of its connections.

mod connector;
mod link_session;

use std::collections::BTreeSet;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use redis_authx::{Clock as _, ConfigError, ConnectionStatus, ReauthError, Spawner as _};
use redis_authx::{Token, TokenError};

use crate::handover::{ActiveLink, HandoverController, Health, Kind, Link as _, Outlet};
use crate::{Reauthenticator, Registration, Session};
pub use connector::SubscriberConnector;
use connector::{Error, Message};
use link_session::LinkSession;

/// Subscribes over one connection after the other, each of which is
/// re-authenticated, or replaced by a [handover](crate::handover).
///
/// Adapters wrap it. It is closed when it is dropped.
pub struct Subscriber<C: SubscriberConnector> {
    session: Arc<LinkSession<C>>,
    reauth: Reauthenticator,
    /// `None` once it is closed. The task that reads messages uses it as well, and
    /// must not keep the subscriber alive.
    registration: Arc<Mutex<Option<Registration>>>,
    reconnect_wait: Duration,
}

/// Why a [`Subscriber`] has not changed its subscriptions.
#[derive(Debug)]
#[non_exhaustive]
pub enum SubscribeError<E> {
    /// The client's error: the server has refused, or no connection that supports
    /// the subscription can be opened.
    Client(E),
    /// The connection is lost, and there is no token to replace it with.
    NoToken(TokenError),
    /// The connection is lost and was not replaced in time. Holds the error of the
    /// last attempt.
    NotConnected(Option<ReauthError>),
    /// The subscriber is [closed](Subscriber::close).
    Closed,
}

impl<C: SubscriberConnector> Subscriber<C> {
    /// Takes over a connection that has logged in with `token`, and starts the task
    /// that reads its messages and passes them to `outlet`.
    ///
    /// A subscription waits for a lost connection to be replaced for
    /// `reconnect_wait`.
    ///
    /// # Errors
    /// The error of [`Spawner::spawn`](redis_authx::Spawner::spawn) when the runtime
    /// can't run the task.
    pub fn spawn(
        reauth: &Reauthenticator,
        connector: C,
        (link, feed): (C::Link, C::Feed),
        token: &Token,
        reconnect_wait: Duration,
        outlet: impl Outlet<Message<C>> + Unpin,
    ) -> Result<Self, ConfigError> {
        let (runtime, policy) = (reauth.runtime(), reauth.policy());
        let (controller, reader) =
            HandoverController::new(link, feed, Arc::clone(runtime), policy.auth_timeout());
        let session = Arc::new(LinkSession::new(connector, controller));
        let weak: Weak<dyn Session> = Arc::<LinkSession<C>>::downgrade(&session);
        let registration = Arc::new(Mutex::new(Some(reauth.register(weak, token))));
        let outlet = ReportsLoss {
            outlet,
            registration: Arc::downgrade(&registration),
        };
        let reader = reader.build(outlet, reauth.credentials().clone());
        runtime.spawn(Box::pin(reader))?;
        Ok(Self {
            session,
            reauth: reauth.clone(),
            registration,
            reconnect_wait,
        })
    }

    /// Subscribes on the active connection and on those that replace it. Waits for a
    /// handover or an `AUTH` that is in progress. A connection that does not reply
    /// within the policy's [`auth_timeout`](redis_authx::ReauthPolicy::auth_timeout)
    /// is replaced.
    ///
    /// # Errors
    /// [`SubscribeError`]. There is no subscription then; of several names, those
    /// before the refused one may deliver messages until the connection is replaced.
    ///
    /// # Cancel safety
    /// After a drop, there may be a subscription on this connection, on later ones,
    /// or none. Subscribe again to be certain.
    pub async fn subscribe(
        &self,
        kind: Kind,
        names: &[Vec<u8>],
    ) -> Result<(), SubscribeError<Error<C>>> {
        let deadline = self.reauth.runtime().now() + self.reconnect_wait;
        loop {
            let turn = self.session.turn().await;
            if self.status().is_none() {
                return Err(SubscribeError::Closed);
            }
            let link = self.active_link().current();
            if !link.health().is_lost() && !link.supports(kind) {
                self.upgrade().await?;
                continue;
            }
            if !link.health().is_lost() {
                let added = self.session.subscriptions().add(kind, names);
                match self.reply(link.subscribe(kind, names)).await {
                    Reply::Ok => return Ok(()),
                    Reply::Refused(error) => {
                        self.session.subscriptions().remove(kind, &added);
                        return Err(SubscribeError::Client(error));
                    }
                    Reply::Lost => {
                        self.session.subscriptions().remove(kind, &added);
                        self.mark_lost(link.health());
                    }
                }
            }
            drop(turn);
            self.wait_until_connected(deadline).await?;
        }
    }

    /// Unsubscribes on the active connection and on those that replace it; from all
    /// names of this kind when given none. Messages that have arrived are delivered.
    ///
    /// # Errors
    /// [`SubscribeError::Client`] when the server refuses. The subscriptions stay.
    ///
    /// # Cancel safety
    /// After a drop, messages may be delivered until the connection is replaced.
    pub async fn unsubscribe(
        &self,
        kind: Kind,
        names: &[Vec<u8>],
    ) -> Result<(), SubscribeError<Error<C>>> {
        let _turn = self.session.turn().await;
        let removed = {
            let mut subscriptions = self.session.subscriptions();
            if names.is_empty() {
                subscriptions.remove_all(kind)
            } else {
                subscriptions.remove(kind, names)
            }
        };
        let link = self.active_link().current();
        if link.health().is_lost() || removed.is_empty() {
            return Ok(());
        }
        match self.reply(link.unsubscribe(kind, &removed)).await {
            Reply::Ok => Ok(()),
            Reply::Lost => {
                self.mark_lost(link.health());
                Ok(())
            }
            Reply::Refused(error) => {
                self.session.subscriptions().add(kind, &removed);
                Err(SubscribeError::Client(error))
            }
        }
    }

    /// The names that it is subscribed to, or will be once it is connected again.
    #[must_use]
    pub fn subscribed(&self, kind: Kind) -> BTreeSet<Vec<u8>> {
        self.session.subscriptions().names(kind).clone()
    }

    /// The link of the active connection.
    #[must_use]
    pub fn active_link(&self) -> &ActiveLink<C::Link> {
        self.session.active_link()
    }

    /// A snapshot of the connection's state; `None` once the subscriber is closed.
    #[must_use]
    pub fn status(&self) -> Option<ConnectionStatus> {
        self.registration().as_ref().map(Registration::status)
    }

    /// Ends the subscriber and closes its connections.
    pub fn close(&self) {
        let registration = self.registration().take();
        drop(registration);
        self.session.close();
    }

    /// Replaces a connection that does not support a subscription by one that does.
    async fn upgrade(&self) -> Result<(), SubscribeError<Error<C>>> {
        let (runtime, policy) = (self.reauth.runtime(), self.reauth.policy());
        let token = self.reauth.credentials().current();
        let token = token.map_err(SubscribeError::NoToken)?;
        let upgraded = pin!(self.session.upgrade(&token));
        let limit = runtime.sleep_until(runtime.now() + policy.replace_timeout());
        match select(upgraded, limit).await {
            Either::Left((upgraded, _)) => upgraded.map_err(SubscribeError::Client),
            Either::Right(_) => Err(SubscribeError::NotConnected(None)),
        }
    }

    async fn reply(
        &self,
        reply: impl Future<Output = Result<(), Error<C>>> + Send,
    ) -> Reply<Error<C>> {
        let (runtime, policy) = (self.reauth.runtime(), self.reauth.policy());
        let limit = runtime.sleep_until(runtime.now() + policy.auth_timeout());
        match select(pin!(reply), limit).await {
            Either::Left((Ok(()), _)) => Reply::Ok,
            Either::Left((Err(error), _)) if C::Link::is_error_reply(&error) => {
                Reply::Refused(error)
            }
            Either::Left(_) | Either::Right(_) => Reply::Lost,
        }
    }

    fn mark_lost(&self, health: &Health) {
        if health.mark_lost()
            && let Some(registration) = &*self.registration()
        {
            registration.lost();
        }
    }

    /// Waits until the active connection is not lost. Without a valid token there is
    /// nothing to wait for.
    async fn wait_until_connected(
        &self,
        deadline: Instant,
    ) -> Result<(), SubscribeError<Error<C>>> {
        let mut deadline = self.reauth.runtime().sleep_until(deadline);
        loop {
            let changed = pin!(self.active_link().changed());
            if !self.active_link().current().health().is_lost() {
                return Ok(());
            }
            let status = self.status().ok_or(SubscribeError::Closed)?;
            let token = self.reauth.credentials().current();
            token.map_err(SubscribeError::NoToken)?;
            if let Either::Right(_) = select(changed, &mut deadline).await {
                return Err(SubscribeError::NotConnected(status.last_error));
            }
        }
    }

    fn registration(&self) -> MutexGuard<'_, Option<Registration>> {
        lock(&self.registration)
    }
}

impl<C: SubscriberConnector> Drop for Subscriber<C> {
    fn drop(&mut self) {
        self.close();
    }
}

impl<C: SubscriberConnector> fmt::Debug for Subscriber<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriber")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// The result of a command on a link.
enum Reply<E> {
    Ok,
    Refused(E),
    Lost,
}

/// An adapter's outlet, and the registration that a lost connection is reported to.
struct ReportsLoss<O> {
    outlet: O,
    registration: Weak<Mutex<Option<Registration>>>,
}

impl<M, O: Outlet<M>> Outlet<M> for ReportsLoss<O> {
    fn deliver(&self, message: M) {
        self.outlet.deliver(message);
    }

    fn gap(&self) {
        self.outlet.gap();
    }

    fn lost(&self) {
        if let Some(registration) = self.registration.upgrade()
            && let Some(registration) = &*lock(&registration)
        {
            registration.lost();
        }
        self.outlet.lost();
    }

    fn end(&self) {
        self.outlet.end();
    }
}

fn lock(registration: &Mutex<Option<Registration>>) -> MutexGuard<'_, Option<Registration>> {
    registration.lock().unwrap_or_else(PoisonError::into_inner)
}
