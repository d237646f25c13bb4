//! What the sink and the stream of one subscriber share.

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Weak};
use std::time::Instant;

use super::redis::{Msg, RedisResult};
use futures_util::future::{Either, FutureExt, select};
use redis_authx::Token;
use redis_authx_session::handover::{
    ActiveLink, Backlog, HandoverController, Kind, Link as _, Outlet,
};
use redis_authx_session::{Registration, Session};

use super::super::client::AuthClient;
use super::super::error;
use super::super::log_in::log_in;
use super::feed;
use super::link::Link;
use super::subscriber::{Subscriber, within};

pub(super) struct Shared {
    client: AuthClient,
    subscriber: Arc<Subscriber>,
    pub(super) backlog: Arc<Backlog<Msg>>,
    pub(super) registration: Registration,
}

impl Shared {
    /// Logs a connection in and has it read and cared for.
    pub(super) async fn open(client: AuthClient, limit: usize) -> RedisResult<Arc<Self>> {
        let inner = &client.0;
        let runtime = Arc::clone(&inner.runtime);
        let protocol = inner.info.redis_settings().protocol();
        let open = |token: Token| {
            let runtime = Arc::clone(&runtime);
            async move {
                let opened = Link::open(&inner.info, protocol, &token);
                within(&runtime, inner.replace_timeout, opened).await
            }
            .boxed()
        };
        let ((link, feed), token) =
            log_in(&inner.credentials, &runtime, inner.login_timeout, open).await?;
        let (controller, reader) =
            HandoverController::new(link, feed, Arc::clone(&runtime), inner.auth_timeout);
        let subscriber = Arc::new(Subscriber::new(&client, controller));
        let session: Weak<dyn Session> = Arc::<Subscriber>::downgrade(&subscriber);
        let registration = inner.reauth.register(session, &token);
        let credentials = inner.credentials.clone();
        let shared = Arc::new(Self {
            client,
            subscriber,
            backlog: Arc::new(Backlog::new(limit)),
            registration,
        });
        let outlet = ToApplication {
            backlog: Arc::clone(&shared.backlog),
            shared: Arc::downgrade(&shared),
        };
        let reader = reader.build(outlet, credentials);
        runtime.spawn(reader.boxed()).map_err(error::not_spawned)?;
        Ok(shared)
    }

    fn active_link(&self) -> &ActiveLink<Link> {
        self.subscriber.active_link()
    }

    /// Subscribes on the connection in place, and on those to come.
    pub(super) async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> RedisResult<()> {
        let inner = &self.client.0;
        let limit = inner.runtime.now() + inner.reconnect_wait;
        loop {
            let mut subscriptions = self.subscriber.subscriptions.lock().await;
            let link = self.active_link().current();
            if !link.health().is_lost() && !link.takes(kind) {
                self.subscriber.need_resp3();
                let token = self.client.credentials().current();
                let token = token.map_err(error::no_token)?;
                let renewed = self.subscriber.renew(&token, &subscriptions);
                within(&inner.runtime, inner.replace_timeout, renewed).await?;
                continue;
            }
            if !link.health().is_lost() {
                let added = subscriptions.add(kind, names);
                let answer = link.subscribe(kind, names);
                match within(&inner.runtime, inner.auth_timeout, answer).await {
                    Ok(()) => return Ok(()),
                    Err(error) => {
                        subscriptions.remove(kind, &added);
                        if !error::is_lost(&error) {
                            return Err(error);
                        }
                        self.mark_lost(&link);
                    }
                }
            }
            drop(subscriptions);
            self.wait_for_link(limit).await?;
        }
    }

    /// Unsubscribes on the connection in place, from all where no names are
    /// given; those to come don't subscribe.
    pub(super) async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> RedisResult<()> {
        let mut subscriptions = self.subscriber.subscriptions.lock().await;
        let removed = if names.is_empty() {
            subscriptions.remove_all(kind)
        } else {
            subscriptions.remove(kind, names)
        };
        let link = self.active_link().current();
        if link.health().is_lost() || removed.is_empty() {
            return Ok(());
        }
        let answer = link.unsubscribe(kind, &removed);
        let inner = &self.client.0;
        match within(&inner.runtime, inner.auth_timeout, answer).await {
            Err(error) if error::is_lost(&error) => self.mark_lost(&link),
            Err(error) => {
                subscriptions.add(kind, &removed);
                return Err(error);
            }
            Ok(()) => {}
        }
        Ok(())
    }

    fn mark_lost(&self, link: &Link) {
        if link.health().mark_lost() {
            self.registration.lost();
        }
    }

    /// Waits until the connection in place is not lost, within the limit for
    /// that. Without a valid token there is nothing to wait for.
    async fn wait_for_link(&self, limit: Instant) -> RedisResult<()> {
        let inner = &self.client.0;
        let mut limit = pin!(inner.runtime.sleep_until(limit));
        loop {
            let mut replaced = pin!(self.active_link().changed());
            if !self.active_link().current().health().is_lost() {
                return Ok(());
            }
            inner.credentials.current().map_err(error::no_token)?;
            if let Either::Right(_) = select(replaced.as_mut(), limit.as_mut()).await {
                let latest = self.registration.status().last_error;
                return Err(error::not_connected(latest.as_ref()));
            }
        }
    }
}

/// Where messages go. Keeps the subscriber's [`Registration`] no longer than the
/// application does.
struct ToApplication {
    backlog: Arc<Backlog<Msg>>,
    shared: Weak<Shared>,
}

impl Outlet<Msg> for ToApplication {
    fn deliver(&self, message: Msg) {
        let bytes = feed::size(&message);
        self.backlog.push(message, bytes);
    }

    fn gap(&self) {
        self.backlog.push_gap();
    }

    fn lost(&self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.registration.lost();
        }
    }

    fn end(&self) {
        self.backlog.end();
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthPubSub")
            .field("client", &self.client)
            .field("status", &self.registration.status())
            .field("gaps", &self.backlog.gaps())
            .finish_non_exhaustive()
    }
}
