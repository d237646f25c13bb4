//! Connections to a Redis Cluster: redis-rs routes, we log in.

use std::fmt;
use std::sync::Arc;

use super::redis;
use super::redis::aio::ConnectionLike;
use super::redis::cluster::ClusterClientBuilder;
use super::redis::cluster_async::ClusterConnection;
use super::redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use super::redis::{Cmd, Pipeline, RedisFuture, RedisResult, ToRedisArgs, Value};

use super::client::AuthClient;
use super::connection::{AuthConnection, Connector, Server, Shared};
use super::{error, outcome, target};

mod logins;
mod node;
mod nodes;
mod registry;
mod status;
#[cfg(feature = "sync")]
mod sync;
#[cfg(feature = "sync")]
mod sync_node;

use node::Node;
use nodes::Nodes;
pub use status::NodeStatus;
#[cfg(feature = "sync")]
pub use sync::AuthSyncClusterConnection;

impl AuthClient {
    /// Opens a connection to the Redis Cluster that the target is a node of, in
    /// the place of redis-rs's `ClusterConnection`. Feature `cluster`.
    ///
    /// The target is where it begins, with the other
    /// [`initial_nodes`](crate::AuthClientBuilder::initial_nodes); the rest it
    /// learns from there. A server certificate's own authority that the target
    /// brings along (as [`redis::Client::build_with_tls`] makes it) is trusted
    /// for every node.
    ///
    /// # Errors
    /// As [`multiplexed`](Self::multiplexed), and redis-rs's own when no node
    /// answers. [`ErrorKind::InvalidClientConfig`](redis::ErrorKind) when a node
    /// would be sent a token in clear text; see
    /// [`allow_plaintext`](crate::AuthClientBuilder::allow_plaintext).
    ///
    /// # Panics
    /// As redis-rs does: outside a tokio runtime, unless built with `smol`.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn cluster(&self) -> RedisResult<AuthClusterConnection> {
        self.cluster_with(|settings| settings).await
    }

    /// [`cluster`](Self::cluster) with redis-rs's own settings: reads from
    /// replicas, time limits, retries, a `node_address_map`, certificates, a
    /// push sender. Feature `cluster`.
    ///
    /// A user name or password in them is not used, and a credentials provider
    /// must not be set: it would log in beside this client.
    ///
    /// # Errors
    /// As [`cluster`](Self::cluster), and what redis-rs finds wrong with the
    /// settings; its panics too.
    ///
    /// # Cancel safety
    /// Safe: dropping it half-way leaves no socket.
    pub async fn cluster_with(
        &self,
        settings: impl FnOnce(ClusterClientBuilder) -> ClusterClientBuilder + Send,
    ) -> RedisResult<AuthClusterConnection> {
        let (cluster, nodes) = registry::enter(self, settings)?;
        let opened = cluster.get_async_generic_connection::<Node>().await;
        let connection = nodes.opened(opened)?;
        Ok(AuthClusterConnection { connection, nodes })
    }
}

/// A connection to a Redis Cluster that stays logged in to every node: used
/// like redis-rs's own `ClusterConnection`, with [`redis::AsyncCommands`],
/// [`redis::cmd`] and pipelines.
///
/// Clones share the connections to the nodes; clone it freely, and keep it for
/// as long as the application lives. Made by [`AuthClient::cluster`].
///
/// Slots, redirections and retries are redis-rs's, and so is finding the nodes
/// and reconnecting to those that were lost: **a command whose connection was
/// lost is sent again**, up to 16 times, unless the settings say
/// [`retries(0)`](ClusterClientBuilder::retries). Every node's connection logs
/// in with the newest token, takes each new one by an `AUTH` of its own, and is
/// replaced before its token expires if it can't.
///
/// A replacement takes over that it reads from a replica. Subscriptions of the
/// replaced connection come back when redis-rs next asks for the slots; those
/// of connections that were lost, at once.
///
/// # Errors of commands
/// redis-rs's own, and while there is no node to talk to because there is no
/// token to log in with,
/// [`ErrorKind::AuthenticationFailed`](redis::ErrorKind): the text says why.
///
/// # Cancel safety
/// Dropping a command's future is safe, and does not say whether the command
/// was executed.
#[derive(Clone)]
pub struct AuthClusterConnection {
    connection: ClusterConnection<Node>,
    nodes: Arc<Nodes>,
}

impl AuthClusterConnection {
    /// How the connections to the nodes are doing, in the order of the nodes'
    /// addresses. A node that can't be reached has none.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeStatus> {
        self.nodes.statuses()
    }

    /// Sends a command where `routing` says; see redis-rs's
    /// [`route_command`](ClusterConnection::route_command).
    ///
    /// # Errors
    /// As every command.
    ///
    /// # Cancel safety
    /// Dropping it is safe, and does not say whether the command was executed.
    pub async fn route_command(&mut self, cmd: Cmd, routing: RoutingInfo) -> RedisResult<Value> {
        let result = self.connection.route_command(cmd, routing).await;
        result.map_err(|error| self.nodes.explain(error))
    }

    /// Sends a pipeline where `route` says; see redis-rs's
    /// [`route_pipeline`](ClusterConnection::route_pipeline).
    ///
    /// # Errors
    /// As every command.
    ///
    /// # Cancel safety
    /// As [`route_command`](Self::route_command).
    pub async fn route_pipeline(
        &mut self,
        pipeline: Pipeline,
        offset: usize,
        count: usize,
        route: SingleNodeRoutingInfo,
    ) -> RedisResult<Vec<Value>> {
        let sent = self
            .connection
            .route_pipeline(pipeline, offset, count, route);
        sent.await.map_err(|error| self.nodes.explain(error))
    }
}

impl ConnectionLike for AuthClusterConnection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        Box::pin(async {
            let result = self.connection.req_packed_command(cmd).await;
            result.map_err(|error| self.nodes.explain(error))
        })
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        Box::pin(async move {
            let sent = self.connection.req_packed_commands(pipeline, offset, count);
            sent.await.map_err(|error| self.nodes.explain(error))
        })
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }
}

/// Subscriptions, in RESP3: with a push sender in the settings, messages come
/// to that; see [`ClusterConnection::subscribe`].
impl AuthClusterConnection {
    /// Subscribes to channels.
    ///
    /// # Errors
    /// Without RESP3, and as every command.
    pub async fn subscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        self.connection.subscribe(channels).await
    }

    /// Unsubscribes from channels.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn unsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        self.connection.unsubscribe(channels).await
    }

    /// Subscribes to patterns.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn psubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()> {
        self.connection.psubscribe(patterns).await
    }

    /// Unsubscribes from patterns.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn punsubscribe(&mut self, patterns: impl ToRedisArgs) -> RedisResult<()> {
        self.connection.punsubscribe(patterns).await
    }

    /// Subscribes to sharded channels.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn ssubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        self.connection.ssubscribe(channels).await
    }

    /// Unsubscribes from sharded channels.
    ///
    /// # Errors
    /// As [`subscribe`](Self::subscribe).
    pub async fn sunsubscribe(&mut self, channels: impl ToRedisArgs) -> RedisResult<()> {
        self.connection.sunsubscribe(channels).await
    }
}

impl fmt::Debug for AuthClusterConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthClusterConnection")
            .field("nodes", &self.nodes())
            .finish_non_exhaustive()
    }
}
