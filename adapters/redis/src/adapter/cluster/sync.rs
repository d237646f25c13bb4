//! Sync connections to a Redis Cluster.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::redis::cluster::{ClusterClientBuilder, ClusterConnection};
use super::redis::cluster_routing::RoutingInfo;
use super::redis::{Cmd, ConnectionLike, RedisResult, Value};

use super::nodes::Nodes;
use super::sync_node::SyncNode;
use super::{AuthClient, NodeStatus, registry};

impl AuthClient {
    /// Opens a sync connection to the Redis Cluster that the target is a node
    /// of, in the place of redis-rs's sync `ClusterConnection`. Features
    /// `cluster` and `sync`. Otherwise as [`cluster`](Self::cluster).
    ///
    /// # Errors
    /// As [`cluster`](Self::cluster).
    pub fn cluster_connection(&self) -> RedisResult<AuthSyncClusterConnection> {
        self.cluster_connection_with(|settings| settings)
    }

    /// [`cluster_connection`](Self::cluster_connection) with redis-rs's own
    /// settings. Features `cluster` and `sync`. A user name or password in them
    /// is not used.
    ///
    /// # Errors
    /// As [`cluster`](Self::cluster), and what redis-rs finds wrong with the
    /// settings.
    pub fn cluster_connection_with(
        &self,
        settings: impl FnOnce(ClusterClientBuilder) -> ClusterClientBuilder,
    ) -> RedisResult<AuthSyncClusterConnection> {
        let (cluster, nodes) = registry::enter(self, settings)?;
        let opened = cluster.get_generic_connection::<SyncNode>();
        let connection = nodes.opened(opened)?;
        Ok(AuthSyncClusterConnection { connection, nodes })
    }
}

/// A sync connection to a Redis Cluster that stays logged in to every node:
/// used like redis-rs's own, with [`redis::Commands`] and [`redis::cmd`].
///
/// What holds for [`AuthClusterConnection`](crate::AuthClusterConnection) holds
/// for this one: what redis-rs does is as it is there, **sending a command
/// again whose connection was lost** included. Each node's connection is renewed
/// as an [`AuthSyncConnection`](crate::AuthSyncConnection) is. Made by
/// [`AuthClient::cluster_connection`].
///
/// Pipelines are not to be had: redis-rs's [`pipe`](redis::pipe) is none for
/// sync clusters, and its
/// [`ClusterPipeline`](redis::cluster::ClusterPipeline) takes redis-rs's own
/// connections alone. A script does as much in one round trip, for one slot.
pub struct AuthSyncClusterConnection {
    connection: ClusterConnection<SyncNode>,
    nodes: Arc<Nodes>,
}

impl AuthSyncClusterConnection {
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
    pub fn route_command(&mut self, cmd: &Cmd, routing: RoutingInfo) -> RedisResult<Value> {
        let result = self.connection.route_command(cmd, routing);
        result.map_err(|error| self.nodes.explain(error))
    }

    /// How long a command waits for a node's reply; `None`: for as long as it
    /// takes. At first what the settings say, 1 s by default.
    ///
    /// # Errors
    /// For a limit of zero.
    pub fn set_read_timeout(&self, limit: Option<Duration>) -> RedisResult<()> {
        self.connection.set_read_timeout(limit)
    }

    /// How long a command waits until it can be written; `None`, the default,
    /// for as long as it takes.
    ///
    /// # Errors
    /// For a limit of zero.
    pub fn set_write_timeout(&self, limit: Option<Duration>) -> RedisResult<()> {
        self.connection.set_write_timeout(limit)
    }
}

impl ConnectionLike for AuthSyncClusterConnection {
    fn req_packed_command(&mut self, cmd: &[u8]) -> RedisResult<Value> {
        let result = self.connection.req_packed_command(cmd);
        result.map_err(|error| self.nodes.explain(error))
    }

    fn req_packed_commands(
        &mut self,
        cmd: &[u8],
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let result = self.connection.req_packed_commands(cmd, offset, count);
        result.map_err(|error| self.nodes.explain(error))
    }

    fn req_command(&mut self, cmd: &Cmd) -> RedisResult<Value> {
        let result = self.connection.req_command(cmd);
        result.map_err(|error| self.nodes.explain(error))
    }

    fn get_db(&self) -> i64 {
        self.connection.get_db()
    }

    fn supports_pipelining(&self) -> bool {
        self.connection.supports_pipelining()
    }

    fn check_connection(&mut self) -> bool {
        ConnectionLike::check_connection(&mut self.connection)
    }

    fn is_open(&self) -> bool {
        self.connection.is_open()
    }
}

impl fmt::Debug for AuthSyncClusterConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthSyncClusterConnection")
            .field("nodes", &self.nodes())
            .finish_non_exhaustive()
    }
}
