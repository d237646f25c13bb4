//! One connection of a client, and how it is re-authenticated.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fred::clients::{Client, WithOptions};
use fred::interfaces::{ClientLike, ClusterInterface};
use fred::types::config::{Options, Server};
use fred::types::{ClusterHash, CustomCommand};
use futures_channel::oneshot;
use redis_authx::reauth::{Asking, ReauthError, ReauthErrorKind, Session};
use redis_authx::{Runtime, Spawner as _, Token, async_trait};
use tokio::sync::{Mutex, Notify};

use super::dial::Dial;
use super::error;
use super::weak::WeakClient;

/// An `AUTH` is cut off by the re-authenticator, not by fred's time limit for
/// ordinary commands.
pub(crate) const NO_LIMIT: Duration = Duration::from_secs(3600);

/// What the connections of one client have in common.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) client: WeakClient,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) asking: Arc<Asking>,
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
    /// We are replacing it ourselves: its next announcement is of our doing.
    replacing: AtomicBool,
}

impl Node {
    pub(crate) fn new(site: Arc<Site>, server: Server) -> Self {
        Self {
            site,
            server,
            auth: Arc::default(),
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

    fn client(&self) -> Result<Client, ReauthError> {
        let client = self.site.client.upgrade();
        client.ok_or_else(|| ReauthErrorKind::Disconnected.into())
    }

    /// How a command finds its way to the server, and to no other.
    fn route(&self, client: &Client) -> Result<ClusterHash, ReauthError> {
        if !client.is_clustered() {
            return Ok(ClusterHash::Random);
        }
        let slot = slot_of(client, &self.server).ok_or_else(|| {
            self.site.gone.notify_one();
            ReauthErrorKind::Disconnected
        })?;
        Ok(ClusterHash::Custom(slot))
    }

    /// Sends `AUTH` to this server alone. fred's own `auth()` would, in a
    /// cluster, first wait until every node has answered all commands under
    /// way, and keep all others waiting meanwhile: for as long as a `BLPOP`
    /// blocks.
    async fn send(&self, token: &Token) -> Result<(), ReauthError> {
        let client = self.client()?;
        let route = self.route(&client)?;
        let options = Options {
            // Not sent again after a reconnect: that has logged in already, and
            // maybe with a newer token.
            max_attempts: Some(1),
            timeout: Some(NO_LIMIT),
            ..Options::default()
        };
        let turn = Arc::clone(&self.auth).lock_owned().await;
        let (answer, answered) = oneshot::channel();
        let generation = token.generation();
        let (client, token) = (client.with_options(&options), token.clone());
        self.site.runtime.spawn(Box::pin(async move {
            let result = auth(&client, route, &token).await;
            drop(turn);
            let _ = answer.send(result);
        }));
        let result = answered.await;
        result.unwrap_or_else(|_| Err(ReauthErrorKind::Disconnected.into()))?;
        self.site.asking.taken(generation);
        Ok(())
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

/// An `AUTH`, and what its answer says.
pub(crate) async fn auth(
    client: &WithOptions<Client>,
    route: ClusterHash,
    token: &Token,
) -> Result<(), ReauthError> {
    let command = CustomCommand::new_static("AUTH", route, false);
    let arguments = vec![token.username(), token.password()];
    let answer: String = client
        .custom(command, arguments)
        .await
        .map_err(error::reauth)?;
    match answer.as_str() {
        "OK" => Ok(()),
        // It has got into a raw `MULTI`, and is not in force.
        "QUEUED" => Err(ReauthErrorKind::Busy.into()),
        _ => Err(ReauthErrorKind::Other.into()),
    }
}

#[async_trait]
impl Session for Node {
    /// fred notices a lost connection and opens another by itself, which is then
    /// a session of its own.
    fn is_connected(&self) -> bool {
        true
    }

    async fn authenticate(&self, token: &Token) -> Result<(), ReauthError> {
        self.send(token).await
    }

    /// By fred's `force_reconnection`, once it is certain that the token is
    /// taken. That closes the old connection first: commands under way are sent
    /// again.
    async fn replace(&self, token: &Token) -> Result<(), ReauthError> {
        let client = self.client()?;
        if client.is_clustered() || !client.has_reconnect_policy() {
            // fred would replace nothing that looks healthy, or end the client.
            return self.send(token).await;
        }
        if !client.is_connected() {
            return Err(ReauthErrorKind::Disconnected.into());
        }
        // Whether the client could reconnect with it.
        let dial = Dial::of(&client, self.site.allow_plaintext);
        drop(dial.open(token).await.map_err(error::reauth)?);
        self.site.asking.taken(token.generation());
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
