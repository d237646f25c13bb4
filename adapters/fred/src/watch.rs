//! Follows one client: which connections it has, and what becomes of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::{ClientLike, EventInterface};
use fred::types::ClusterStateChange;
use fred::types::config::Server;
use redis_authx::{Clock as _, Credentials, Token};
use redis_authx_session::RefusalLimiter;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::connections::Connections;
use super::error;
use super::node::{Node, Site, slot_of};
use super::served::Served;

/// fred announces a connection before it can be used, and says nothing when it
/// can: so often that is looked for …
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// … and for so long.
const LOOK_FOR: Duration = Duration::from_secs(10);

/// What is known of one client.
pub(crate) struct Watch {
    pub(crate) site: Arc<Site>,
    pub(crate) connections: Arc<Connections>,
    pub(crate) credentials: Credentials,
    /// What its connections logged in with; `None` where that is not known.
    pub(crate) served: Option<Arc<Served>>,
}

/// fred's announcements. They end when the client is quit, and begin anew.
pub(crate) struct Events {
    connected: Receiver<Server>,
    changed: Receiver<Vec<ClusterStateChange>>,
    failed: Receiver<(Error, Option<Server>)>,
}

impl Events {
    pub(crate) fn of(client: &Client) -> Self {
        Self {
            connected: client.reconnect_rx(),
            changed: client.cluster_change_rx(),
            failed: client.error_rx(),
        }
    }
}

impl Watch {
    /// Ends with the client: when it has been quit, or was never connected, and
    /// the application has dropped it. fred keeps it until then.
    pub(crate) async fn run(self, mut events: Events) {
        self.all_connected().await;
        loop {
            tokio::select! {
                announced = events.connected.recv() => match announced {
                    Ok(server) => self.connected(server).await,
                    Err(RecvError::Lagged(_)) => self.all_connected().await,
                    Err(RecvError::Closed) => {
                        self.connections.retain(|_| false);
                        let Some(client) = self.site.client.upgrade() else {
                            return;
                        };
                        events = Events::of(&client);
                        drop(client);
                        self.all_connected().await;
                    }
                },
                Ok(changes) = events.changed.recv() => {
                    for change in changes {
                        if let ClusterStateChange::Remove(gone) = change {
                            self.connections.retain(|server| *server != gone);
                        }
                    }
                }
                Ok((error, _)) = events.failed.recv() => self.failed(&error),
                () = self.site.gone.notified() => self.drop_gone(),
            }
        }
    }

    /// It is not known which connections are new.
    async fn all_connected(&self) {
        let Some(client) = self.site.client.upgrade() else {
            return;
        };
        let servers = if client.is_connected() {
            client.active_connections()
        } else {
            Vec::new()
        };
        drop(client);
        for server in servers {
            self.connected(server).await;
        }
    }

    /// The client has connected to a server, or is about to have done so.
    async fn connected(&self, server: Server) {
        if !self.is_there(&server).await {
            return;
        }
        let logged_in = self.served.as_ref().and_then(|served| served.take(&server));
        let before = self.connections.node(&server);
        if before.as_ref().is_some_and(|node| node.was_replaced()) {
            return;
        }
        let unsettled = before.is_some_and(|node| node.is_unsettled());
        let token = match logged_in {
            Some(token) if !unsettled => {
                let now = self.site.runtime.now();
                self.site.showing.taken(token.generation(), now);
                token
            }
            _ => self.some_token(),
        };
        let node = Node::new(Arc::clone(&self.site), server.clone());
        self.connections.add(server, node, &token);
    }

    /// Waits until a connection can be used; whether it can.
    async fn is_there(&self, server: &Server) -> bool {
        let runtime = &self.site.runtime;
        let end = runtime.now() + LOOK_FOR;
        loop {
            let Some(client) = self.site.client.upgrade() else {
                return false;
            };
            if client.is_connected() {
                if !client.is_clustered() {
                    self.connections.retain(|other| other == server);
                    return true;
                }
                let active = client.active_connections();
                // Empty where the server does not tell a connection's number.
                if active.is_empty() || active.contains(server) {
                    return true;
                }
            }
            drop(client);
            if runtime.now() >= end {
                return false;
            }
            runtime.sleep_until(runtime.now() + LOOK_AGAIN).await;
        }
    }

    /// Stands for the unknown one that a connection logged in with: older than
    /// every other, so that the newest is sent at once.
    fn some_token(&self) -> Token {
        let Ok(current) = self.credentials.current() else {
            return Token::new("", "");
        };
        let token = Token::new(current.username(), "").session(current.session_rule());
        match current.expiry() {
            Some(at) => token.expires_at(at),
            None => token,
        }
    }

    fn failed(&self, error: &Error) {
        let site = &self.site;
        ask_for_another(
            error,
            &self.credentials,
            site.showing.limiter(),
            site.runtime.now(),
        );
    }

    fn drop_gone(&self) {
        if let Some(client) = self.site.client.upgrade() {
            self.connections
                .retain(|server| slot_of(&client, server).is_some());
        }
    }
}

/// Something has failed. Where that was a log-in for the token's sake, the next
/// token may do better.
pub(crate) fn ask_for_another(
    error: &Error,
    credentials: &Credentials,
    limiter: &RefusalLimiter,
    now: Instant,
) {
    if error::is_refusal(error)
        && let Ok(token) = credentials.current()
        && limiter.rejected(token.generation(), now)
    {
        credentials.refresh_refused(token.generation());
    }
}
