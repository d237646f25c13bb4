//! One connection of a client, and how it is re-authenticated.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, ClusterInterface};
use fred::types::ClusterHash;
use fred::types::config::Server;
use futures_channel::oneshot;
use futures_util::future::{Either, join, select};
use redis_authx::{
    Clock as _, ReauthError, ReauthErrorKind, Runtime, Spawner as _, Token, async_trait,
};
use redis_authx_session::Session;
use tokio::sync::{Mutex, Notify};

use super::auth::{auth, drop_connection};
use super::dial::Dial;
use super::error;
use super::showing::Showing;
use super::weak::WeakClient;

/// How long a showing may take where the old token ends soon.
const LATE_SHOWING: Duration = Duration::from_secs(3);

/// What the connections of one client have in common.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) client: WeakClient,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) showing: Arc<Showing>,
    pub(crate) allow_plaintext: bool,
    /// Told when the client has no connection to a node's server any more.
    pub(crate) gone: Notify,
}

/// The connection of a client to one server, until another is announced.
pub(crate) struct Node {
    site: Arc<Site>,
    server: Server,
    /// Held by the `AUTH` under way until it has an answer, of whatever kind: at
    /// most one is ever queued.
    auth: Arc<Mutex<()>>,
    /// It was out of step, and fred opens another: a session of its own.
    dropped: Arc<AtomicBool>,
    /// We are replacing it ourselves: its next announcement is of our doing.
    replacing: AtomicBool,
}

impl Node {
    pub(crate) fn new(site: Arc<Site>, server: Server) -> Self {
        Self {
            site,
            server,
            auth: Arc::default(),
            dropped: Arc::default(),
            replacing: AtomicBool::new(false),
        }
    }

    /// Whether an `AUTH` has no answer yet. It may come into force only after a
    /// reconnect, and then put an older token in the place of a newer one.
    pub(crate) fn is_unsettled(&self) -> bool {
        self.auth.try_lock().is_err()
    }

    /// Whether an announcement of the connection is due to [`Self::replace`].
    pub(crate) fn was_replaced(&self) -> bool {
        self.replacing.swap(false, Ordering::AcqRel)
    }

    /// Fails where the connection is not to be used any more.
    fn check(&self) -> Result<(), ReauthError> {
        if self.dropped.load(Ordering::Acquire) {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        Ok(())
    }

    fn client(&self) -> Result<Client, ReauthError> {
        let client = self.site.client.upgrade();
        client.ok_or_else(|| ReauthErrorKind::Disconnected.into())
    }

    /// Returns once the server is known to take `token`.
    async fn show(&self, client: &Client, token: &Token) -> Result<(), ReauthError> {
        let site = &self.site;
        let dial = Dial::of(client, site.allow_plaintext).only_to(&self.server);
        site.showing.show(token, dial, &site.runtime).await
    }

    /// Whether `showing` has shown that the token is taken, where the old one
    /// ends soon. Where that can't be found out, as at the server's
    /// `maxclients`, the token is sent in place all the same: without it the
    /// connection ends for certain.
    async fn late(
        &self,
        showing: impl Future<Output = Result<(), ReauthError>> + Send,
    ) -> Result<bool, ReauthError> {
        if self.is_unsettled() {
            // There is nothing to do in place.
            return showing.await.map(|()| true);
        }
        let runtime = &self.site.runtime;
        let limit = runtime.sleep_until(runtime.now() + LATE_SHOWING);
        match select(pin!(showing), limit).await {
            Either::Left((Ok(()), _)) => Ok(true),
            Either::Left((Err(error), _)) if error.kind() == ReauthErrorKind::Refused => Err(error),
            _ => Ok(false),
        }
    }

    /// Sends `AUTH` to this server alone. fred's own `auth()` would, in a cluster,
    /// first wait until every node has answered all commands under way, and keep
    /// all others waiting meanwhile: for as long as a `BLPOP` blocks.
    ///
    /// Its result is acted upon even after the caller has given up.
    async fn send(&self, client: Client, token: &Token) -> Result<(), ReauthError> {
        let turn = Arc::clone(&self.auth).lock_owned().await;
        self.check()?;
        let route = route(&client, &self.server).ok_or_else(|| {
            self.site.gone.notify_one();
            ReauthErrorKind::Disconnected
        })?;
        let (answer, answered) = oneshot::channel();
        let (site, dropped) = (Arc::clone(&self.site), Arc::clone(&self.dropped));
        let (server, token) = (self.server.clone(), token.clone());
        // A task that can't run drops `answer`: the caller gets `Disconnected`.
        let _ = self.site.runtime.spawn(Box::pin(async move {
            let result = auth(&client, route, &token).await;
            match result.as_ref().map_err(ReauthError::kind) {
                Ok(()) => site.showing.taken(token.generation(), site.runtime.now()),
                Err(ReauthErrorKind::OutOfStep) => {
                    site.showing.refused(token.generation());
                    // First: the next in line must send nothing more on it.
                    dropped.store(true, Ordering::Release);
                    drop(turn);
                    let told = async { answer.send(result) };
                    let drop_it = async {
                        // fred drops a node by itself that it has no use for.
                        if let Some(route) = self::route(&client, &server) {
                            drop_connection(&client, route).await;
                        }
                    };
                    let _ = join(drop_it, told).await;
                    return;
                }
                Err(ReauthErrorKind::Refused) => site.showing.refused(token.generation()),
                Err(_) => {}
            }
            drop(turn);
            let _ = answer.send(result);
        }));
        let result = answered.await;
        result.unwrap_or_else(|_| Err(ReauthErrorKind::Disconnected.into()))
    }
}

/// How a command finds its way to a server, and to no other; `None` where the
/// client has no use for the server any more.
fn route(client: &Client, server: &Server) -> Option<ClusterHash> {
    if client.is_clustered() {
        slot_of(client, server).map(ClusterHash::Custom)
    } else {
        Some(ClusterHash::Random)
    }
}

/// A slot of a cluster's server, by which a command finds it; `None` where the
/// client has no use for the server any more. By its address none should be
/// sent: where the node is gone by then, fred 10.1 with its feature `replicas`
/// tries again without a pause and without an end.
pub(crate) fn slot_of(client: &Client, server: &Server) -> Option<u16> {
    let active = client.active_connections();
    // Empty where the server does not tell a connection's number.
    if !active.is_empty() && !active.contains(server) {
        return None;
    }
    let routes = client.cached_cluster_state()?;
    let mut ranges = routes.slots().iter();
    let range = ranges.find(|range| range.primary == *server)?;
    Some(range.start)
}

#[async_trait]
impl Session for Node {
    /// fred notices a lost connection and opens another by itself, which is then
    /// a session of its own.
    fn is_connected(&self) -> bool {
        true
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        self.check()?;
        let client = self.client()?;
        self.show(&client, token).await?;
        self.send(client, token).await
    }

    /// By fred's `force_reconnection`, once it is certain that the token is
    /// taken. That closes the old connection first: commands under way are sent
    /// again.
    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        self.check()?;
        let client = self.client()?;
        if client.is_clustered() || !client.has_reconnect_policy() {
            // fred would replace nothing that looks healthy, or end the client.
            self.late(self.show(&client, token)).await?;
            return self.send(client, token).await;
        }
        if !client.is_connected() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        // Whether the client could reconnect with it.
        let dial = Dial::of(&client, self.site.allow_plaintext);
        let opens = async { dial.open(token).await.map(drop).map_err(error::reauth) };
        if !self.late(opens).await? {
            return self.send(client, token).await;
        }
        let now = self.site.runtime.now();
        self.site.showing.taken(token.generation(), now);
        self.replacing.store(true, Ordering::Release);
        let replaced = client.force_reconnection().await;
        if replaced.is_err() {
            self.replacing.store(false, Ordering::Release);
        }
        replaced.map_err(error::reauth)
    }
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("client", &self.site.client)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}
