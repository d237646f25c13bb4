//! How the connections to the nodes of one cluster log in.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use super::redis::cluster::NodeAddress;
use super::redis::{
    AsyncConnectionConfig, ConnectionAddr, ConnectionInfo, ErrorKind, RedisConnectionInfo,
    RedisError, RedisResult,
};
use redis_authx::{Clock, ReauthErrorKind};
use redis_authx_session::RefusalLimiter;

#[cfg(feature = "sync")]
use super::super::sync::{self, AuthSyncConnection, Losses};
use super::logins::Logins;
use super::node::Node;
use super::status::{NodeStatus, Report, Reports};
#[cfg(feature = "sync")]
use super::sync_node::SyncNode;
use super::{AuthClient, Connector, Server, Shared, error, registry, target};

/// Shared by the handles of one cluster connection, and found by the
/// connections to its nodes.
pub(crate) struct Nodes {
    client: AuthClient,
    key: String,
    /// Until the first nodes have answered, log-ins wait for a token.
    opening: AtomicBool,
    /// Why a node was not logged in to that was found while opening.
    refusal: Mutex<Option<RedisError>>,
    limiter: RefusalLimiter,
    logins: Logins,
    reports: Reports,
}

impl Nodes {
    pub(crate) fn new(client: AuthClient, key: String) -> Self {
        Self {
            client,
            key,
            opening: AtomicBool::new(true),
            refusal: Mutex::new(None),
            limiter: RefusalLimiter::default(),
            logins: Logins::default(),
            reports: Reports::default(),
        }
    }

    pub(crate) fn statuses(&self) -> Vec<NodeStatus> {
        self.reports.read()
    }

    /// Where to connect to for a node that redis-rs wants a connection to, and
    /// whether a token may be sent there.
    pub(crate) fn admit(&self, info: ConnectionInfo) -> RedisResult<ConnectionInfo> {
        let found = info.redis_settings();
        let settings = RedisConnectionInfo::default()
            .set_db(found.db())
            .set_protocol(found.protocol());
        let addr = trusting_as(info.addr().clone(), self.client.0.info.addr());
        let info = info.set_redis_settings(settings).set_addr(addr);
        target::check(Ok(info), self.client.0.allow_plaintext).map_err(|error| {
            let text = error::chain(&error);
            let error = (
                ErrorKind::InvalidClientConfig,
                "a node of the cluster",
                text,
            )
                .into();
            self.refused(&error);
            error
        })
    }

    /// Opens a connection to a node. While the cluster is being opened, it
    /// waits for a token; later on it never does, since redis-rs may keep all
    /// other commands waiting meanwhile.
    pub(crate) async fn log_in(
        self: Arc<Self>,
        info: ConnectionInfo,
        config: AsyncConnectionConfig,
    ) -> RedisResult<Node> {
        let info = self.admit(info)?;
        let address = NodeAddress::try_from(info.addr())?;
        let nodes = Arc::clone(&self);
        let opening = nodes.open(info, config, address.clone());
        self.logins.join(address, opening).await
    }

    async fn open(
        self: Arc<Self>,
        info: ConnectionInfo,
        config: AsyncConnectionConfig,
        address: NodeAddress,
    ) -> RedisResult<Node> {
        let read_only = Arc::new(AtomicBool::new(false));
        let connector =
            Connector::new(Server::Node(Box::new(info), Arc::clone(&read_only)), config);
        let limit = self.login_timeout();
        let opened = self.client.log_in(connector, Duration::ZERO, limit).await;
        let connection = opened.inspect_err(|error| self.refused(error))?;
        self.limiter.accepted(connection.status().generation);
        let report: Weak<dyn Report> = Arc::<Shared>::downgrade(&connection.shared);
        self.reports.add(address, report);
        Ok(Node::new(connection, read_only))
    }

    /// The same for a sync connection.
    #[cfg(feature = "sync")]
    pub(crate) fn log_in_blocking(
        &self,
        info: ConnectionInfo,
        timeout: Option<Duration>,
    ) -> RedisResult<SyncNode> {
        let info = self.admit(info)?;
        let address = NodeAddress::try_from(info.addr())?;
        let connector = sync::Connector::new(info, timeout);
        let limit = self.login_timeout();
        let opened = AuthSyncConnection::open(&self.client, connector, limit, Losses::Theirs);
        let connection = opened.inspect_err(|error| self.refused(error))?;
        self.limiter.accepted(connection.status().generation);
        self.reports.add(address, connection.registration());
        Ok(SyncNode::new(connection))
    }

    /// How long a log-in waits for a token.
    fn login_timeout(&self) -> Duration {
        if self.opening.load(Ordering::Acquire) {
            self.client.0.login_timeout
        } else {
            Duration::ZERO
        }
    }

    /// A node was not logged in to. When that is the token's fault, the next
    /// may do better.
    fn refused(&self, error: &RedisError) {
        if self.opening.load(Ordering::Acquire) {
            let mut refusal = self.refusal();
            if refusal
                .as_ref()
                .is_none_or(|known| weight(known) < weight(error))
            {
                *refusal = Some(error.clone());
            }
        } else if error::kind(error) == ReauthErrorKind::Refused
            && let Ok(token) = self.client.credentials().current()
            && self
                .limiter
                .rejected(token.generation(), self.client.0.reauth.runtime().now())
        {
            self.client
                .credentials()
                .refresh_refused(token.generation());
        }
    }

    /// The first nodes have answered, or none has: redis-rs then says no more
    /// than that.
    pub(crate) fn opened<T>(&self, result: RedisResult<T>) -> RedisResult<T> {
        self.opening.store(false, Ordering::Release);
        let refusal = self.refusal().take();
        match (result, refusal) {
            (Err(error), Some(refusal)) if error.is_io_error() => Err(refusal),
            // Commands for that node would be tried for minutes.
            (Ok(_), Some(error)) if error.kind() == ErrorKind::InvalidClientConfig => Err(error),
            (result, _) => result,
        }
    }

    /// Of a command that found no node, whether that is for want of a token.
    pub(crate) fn explain(&self, error: RedisError) -> RedisError {
        let none = error.is_io_error() || error.kind() == ErrorKind::ClusterConnectionNotFound;
        match self.client.credentials().current() {
            Err(why) if none => error::no_token(why),
            _ => error,
        }
    }

    fn refusal(&self) -> MutexGuard<'_, Option<RedisError>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        registry::leave(&self.key);
    }
}

/// How much an error says of why a cluster could not be opened: more than that
/// of a node which is down.
fn weight(error: &RedisError) -> u8 {
    match error.kind() {
        ErrorKind::InvalidClientConfig => 2,
        _ if error::kind(error) == ReauthErrorKind::Refused => 1,
        _ => 0,
    }
}

/// The address, with the root certificate of `seed` where redis-rs has left it
/// out: it takes none from the nodes to begin with.
fn trusting_as(addr: ConnectionAddr, seed: &ConnectionAddr) -> ConnectionAddr {
    match (addr, seed) {
        (
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure,
                tls_params: None,
            },
            ConnectionAddr::TcpTls { tls_params, .. },
        ) => ConnectionAddr::TcpTls {
            host,
            port,
            insecure,
            tls_params: tls_params.clone(),
        },
        (addr, _) => addr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(host: &str, insecure: bool) -> ConnectionAddr {
        ConnectionAddr::TcpTls {
            host: host.to_owned(),
            port: 1,
            insecure,
            tls_params: None,
        }
    }

    #[test]
    fn only_the_certificate_is_taken_from_the_first_node() {
        let seed = tls("seed.example", true);
        let addr = trusting_as(tls("node.example", false), &seed);
        assert_eq!(addr, tls("node.example", false));
        let plain = ConnectionAddr::Tcp("node.example".to_owned(), 1);
        assert_eq!(trusting_as(plain.clone(), &seed), plain);
    }

    #[test]
    fn the_error_that_says_most_is_told() {
        let error = |kind| RedisError::from((kind, "no"));
        let weights = [
            ErrorKind::Io,
            ErrorKind::AuthenticationFailed,
            ErrorKind::InvalidClientConfig,
        ]
        .map(|kind| weight(&error(kind)));
        assert!(
            weights.is_sorted_by(|less, more| less < more),
            "{weights:?}"
        );
    }
}
