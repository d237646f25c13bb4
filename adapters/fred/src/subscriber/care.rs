//! A subscriber that is connected, as the application has it.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fred::error::{Error, ErrorKind};
use redis_authx::{Clock as _, ConnectionStatus, Credentials, Spawner as _};
use redis_authx_session::handover::{HandoverController, Kind, Link as _};
use redis_authx_session::{Registration, Session};
use tokio::time::{Instant, timeout, timeout_at};

use super::link::{Failure, Link, closed};
use super::messages::{Messages, ToApplication};
use super::session::Subscriber;
use crate::connections::{ConnectionReport, Reports};
use crate::dial::Dial;
use crate::error;
use crate::renewal::Renewal;
use crate::watch::ask_for_another;

/// Keeps a subscriber registered.
pub(super) struct Care {
    credentials: Credentials,
    /// `None` once it has been quit.
    registration: Mutex<Option<Registration>>,
    subscriber: Arc<Subscriber>,
    /// How long the server may take to reply.
    auth_timeout: Duration,
    /// How long a subscription waits for a lost connection to be back.
    reconnect_wait: Duration,
}

impl Care {
    /// Logs a connection in and has it read and cared for.
    pub(super) async fn open(
        dial: Dial,
        renewal: &Renewal,
        messages: Arc<Messages>,
    ) -> Result<Arc<Self>, Error> {
        let (credentials, runtime) = (renewal.credentials().clone(), renewal.runtime());
        let limit = dial.connection.internal_command_timeout;
        let auth_timeout = renewal.auth_timeout();
        let token = credentials.get(limit).await;
        let token = token.map_err(|why| error::no_token(&why))?;
        let showing = renewal.showing(&dial.config);
        let opened = Link::open(&dial, &token, Arc::clone(runtime), &messages);
        let opened = timeout(renewal.replace_timeout(), opened).await;
        let (link, feed) = opened
            .unwrap_or_else(|_| Err(late()))
            .inspect_err(|error| {
                ask_for_another(error, &credentials, showing.limiter(), runtime.now());
            })?;
        showing.taken(token.generation(), runtime.now());
        let (controller, reader) =
            HandoverController::new(link, feed, Arc::clone(runtime), auth_timeout);
        let subscriber = Arc::new(Subscriber {
            dial,
            runtime: Arc::clone(runtime),
            showing,
            messages: Arc::clone(&messages),
            controller,
            turn: tokio::sync::Mutex::default(),
            subscriptions: Mutex::default(),
        });
        let session: Weak<dyn Session> = Arc::<Subscriber>::downgrade(&subscriber);
        let registration = renewal.reauth().register(session, &token);
        let care = Arc::new(Self {
            credentials: credentials.clone(),
            registration: Mutex::new(Some(registration)),
            subscriber,
            auth_timeout,
            reconnect_wait: limit,
        });
        renewal.list(Arc::<Self>::downgrade(&care));
        let outlet = ToApplication {
            messages,
            care: Arc::downgrade(&care),
        };
        let reader = reader.build(outlet, credentials);
        let spawned = runtime.spawn(Box::pin(reader));
        spawned.map_err(|error| error::config(&error))?;
        Ok(care)
    }

    pub(super) fn subscriber(&self) -> &Subscriber {
        &self.subscriber
    }

    /// Ends it: its reader drops the connections.
    pub(super) fn close(&self) {
        let registration = self.registration().take();
        drop(registration);
        self.subscriber.controller.close();
    }

    pub(super) fn lost(&self) {
        if let Some(registration) = &*self.registration() {
            registration.lost();
        }
    }

    pub(super) fn status(&self) -> Option<ConnectionStatus> {
        self.registration().as_ref().map(Registration::status)
    }

    /// Subscribes on the connection in place, and on those to come.
    pub(super) async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Error> {
        let limit = Instant::now() + self.reconnect_wait;
        loop {
            let turn = self.subscriber.turn.lock().await;
            if self.registration().is_none() {
                return Err(closed());
            }
            let link = self.subscriber.active_link().current();
            if !link.health().is_lost() {
                let added = self.subscriber.add(kind, names);
                match timeout(self.auth_timeout, link.subscribe(kind, names)).await {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(Failure::Refused(error))) => {
                        self.subscriber.remove(kind, &added);
                        return Err(error);
                    }
                    Ok(Err(Failure::Lost(_))) | Err(_) => {
                        self.subscriber.remove(kind, &added);
                        self.mark_lost(&link);
                    }
                }
            }
            drop(turn);
            self.wait_for_link(limit).await?;
        }
    }

    /// Unsubscribes on the connection in place, from all where no names are
    /// given; those to come don't subscribe.
    pub(super) async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Error> {
        let _turn = self.subscriber.turn.lock().await;
        let removed = if names.is_empty() {
            self.subscriber.subscriptions().remove_all(kind)
        } else {
            self.subscriber.remove(kind, names)
        };
        let link = self.subscriber.active_link().current();
        if link.health().is_lost() || removed.is_empty() {
            return Ok(());
        }
        match timeout(self.auth_timeout, link.unsubscribe(kind, &removed)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Failure::Refused(error))) => {
                self.subscriber.add(kind, &removed);
                Err(error)
            }
            Ok(Err(Failure::Lost(_))) | Err(_) => {
                self.mark_lost(&link);
                Ok(())
            }
        }
    }

    fn mark_lost(&self, link: &Link) {
        if link.health().mark_lost() {
            self.lost();
        }
    }

    /// Waits until the connection in place is not lost, within the limit for
    /// that. Without a valid token there is nothing to wait for.
    async fn wait_for_link(&self, limit: Instant) -> Result<(), Error> {
        loop {
            let replaced = pin!(self.subscriber.active_link().changed());
            if !self.subscriber.active_link().current().health().is_lost() {
                return Ok(());
            }
            let Some(status) = self.status() else {
                return Err(closed());
            };
            let token = self.credentials.current();
            token.map_err(|why| error::no_token(&why))?;
            if timeout_at(limit, replaced).await.is_err() {
                return Err(error::not_connected(status.last_error.as_ref()));
            }
        }
    }

    fn registration(&self) -> MutexGuard<'_, Option<Registration>> {
        let registration = self.registration.lock();
        registration.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reports for Care {
    fn reports(&self) -> Vec<ConnectionReport> {
        let link = self.subscriber.active_link().current();
        let report = |(connection, server)| ConnectionReport {
            client: link.id().to_owned(),
            server,
            connection,
        };
        let report = self.status().zip(link.server()).map(report);
        report.into_iter().collect()
    }
}

fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the connection was not opened in time")
}
