//! The connections of one client, each registered for re-authentication.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use fred::types::config::Server;
use redis_authx::{ConnectionStatus, Token};
use redis_authx_session::{Reauthenticator, Registration, Session};

use super::node::Node;

/// How one connection of a fred client is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// The client: fred's [`id`](fred::interfaces::ClientLike::id).
    pub client: String,
    /// The server that it is connected to.
    pub server: Server,
    /// Its token's generation, the latest failure, the time until the server
    /// would end the session.
    pub connection: ConnectionStatus,
}

/// Something that has connections.
pub(crate) trait Reports: Send + Sync {
    /// How they are doing.
    fn reports(&self) -> Vec<ConnectionReport>;
}

#[derive(Debug)]
pub(crate) struct Connections {
    client: String,
    reauth: Reauthenticator,
    entries: Mutex<HashMap<Server, Entry>>,
}

#[derive(Debug)]
struct Entry {
    // Dropped first: it ends what runs for the session.
    registration: Registration,
    node: Arc<Node>,
}

impl Connections {
    pub(crate) fn new(client: &str, reauth: Reauthenticator) -> Self {
        Self {
            client: client.to_owned(),
            reauth,
            entries: Mutex::default(),
        }
    }

    pub(crate) fn node(&self, server: &Server) -> Option<Arc<Node>> {
        self.lock().get(server).map(|entry| Arc::clone(&entry.node))
    }

    /// There is a new connection, which logged in with `token`. One to the same
    /// server is no more.
    pub(crate) fn add(&self, server: Server, node: Node, token: &Token) {
        let node = Arc::new(node);
        let session: Weak<dyn Session> = Arc::<Node>::downgrade(&node);
        let registration = self.reauth.register(session, token);
        let entry = Entry { registration, node };
        let before = self.lock().insert(server, entry);
        drop(before);
    }

    /// Forgets the connections to other servers.
    pub(crate) fn retain(&self, keeps: impl Fn(&Server) -> bool) {
        self.lock().retain(|server, _| keeps(server));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Server, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reports for Connections {
    fn reports(&self) -> Vec<ConnectionReport> {
        let entries = self.lock();
        let report = |(server, entry): (&Server, &Entry)| ConnectionReport {
            client: self.client.clone(),
            server: server.clone(),
            connection: entry.registration.status(),
        };
        entries.iter().map(report).collect()
    }
}
