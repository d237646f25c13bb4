//! A subscriber that is connected.

use std::sync::Arc;

use fred::error::{Error, ErrorKind};
use redis_authx::{Clock as _, ConnectionStatus};
use redis_authx_session::handover::Kind;
use redis_authx_session::{SubscribeError, Subscriber, SubscriberConnector as _};
use tokio::time::timeout;

use super::connector::FredConnector;
use super::link::{Failure, closed};
use super::messages::{Messages, ToApplication};
use crate::connections::{ConnectionReport, Reports};
use crate::dial::Dial;
use crate::error;
use crate::renewal::Renewal;
use crate::watch::ask_for_another;

pub(super) struct ConnectedSubscriber(Subscriber<FredConnector>);

impl ConnectedSubscriber {
    /// Opens a connection that logs in, and starts the subscriber.
    pub(super) async fn open(
        dial: Dial,
        renewal: &Renewal,
        messages: Arc<Messages>,
    ) -> Result<Arc<Self>, Error> {
        let reauth = renewal.reauth();
        let (credentials, runtime) = (reauth.credentials(), reauth.runtime());
        let limit = dial.connection.internal_command_timeout;
        let token = credentials.get(limit).await;
        let token = token.map_err(|why| error::no_token(&why))?;
        let connector = FredConnector {
            showing: renewal.showing(&dial.config),
            dial,
            runtime: Arc::clone(runtime),
            messages: Arc::clone(&messages),
        };
        let opened = connector.open(&token);
        let opened = match timeout(reauth.policy().replace_timeout(), opened).await {
            Ok(opened) => opened.map_err(Failure::into_error),
            Err(_) => Err(late()),
        };
        let opened = opened.inspect_err(|error| {
            let limiter = connector.showing.limiter();
            ask_for_another(error, credentials, limiter, runtime.now());
        })?;
        let outlet = ToApplication(messages);
        let subscriber = Subscriber::spawn(reauth, connector, opened, &token, limit, outlet);
        let subscriber = subscriber.map_err(|error| error::config(&error))?;
        let connected = Arc::new(Self(subscriber));
        renewal.list(Arc::<Self>::downgrade(&connected));
        Ok(connected)
    }

    pub(super) fn subscriber(&self) -> &Subscriber<FredConnector> {
        &self.0
    }

    pub(super) fn status(&self) -> Option<ConnectionStatus> {
        self.0.status()
    }

    pub(super) async fn subscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Error> {
        self.0.subscribe(kind, names).await.map_err(not_subscribed)
    }

    pub(super) async fn unsubscribe(&self, kind: Kind, names: &[Vec<u8>]) -> Result<(), Error> {
        let unsubscribed = self.0.unsubscribe(kind, names).await;
        unsubscribed.map_err(not_subscribed)
    }
}

impl Reports for ConnectedSubscriber {
    fn reports(&self) -> Vec<ConnectionReport> {
        let link = self.0.active_link().current();
        let report = |(connection, server)| ConnectionReport {
            client: link.id().to_owned(),
            server,
            connection,
        };
        let report = self.status().zip(link.server()).map(report);
        report.into_iter().collect()
    }
}

fn not_subscribed(error: SubscribeError<Failure>) -> Error {
    match error {
        SubscribeError::Client(error) => error.into_error(),
        SubscribeError::NoToken(error) => error::no_token(&error),
        SubscribeError::NotConnected(latest) => error::not_connected(latest.as_ref()),
        _ => closed(),
    }
}

fn late() -> Error {
    Error::new(ErrorKind::Timeout, "the connection was not opened in time")
}
