//! What an emulator can have behind its gateways, as the builder is told it.

use std::fmt;

use crate::{EmulatorError, builder::invalid};

/// More would take a test's machine more than they tell.
const MOST_NODES: usize = 60;

/// Where the data is that clients of the emulator see.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Store {
    /// A small store inside the process: nothing to install. It knows the
    /// common commands of strings, hashes, lists, sets, transactions and
    /// pub/sub, over RESP2 and RESP3, and answers any other with `ERR unknown
    /// command`: no scripts, streams, sorted sets, blocking or scanning
    /// commands. It keeps everything in memory, without a limit.
    #[default]
    Embedded,
    /// A `redis-server` child process on a free port of 127.0.0.1, found on
    /// `PATH` or by
    /// [`Builder::redis_server_program`](crate::Builder::redis_server_program).
    /// Its data lies in a folder of its own and goes with the emulator.
    RedisServer,
    /// A Redis that is running already (6.2 or newer), as
    /// `redis://user:password@host:port`.
    ///
    /// The user must be allowed `ACL SETUSER`, with which the emulator makes
    /// one user, named as the object id, with a random password and the right
    /// to everything; it takes the password back when it is dropped. The
    /// default user must have a password, or else Redis would serve clients
    /// that have not logged in. `tls` and database numbers are not supported.
    Url(String),
    /// A Redis Cluster of `redis-server` children (6.2 or newer), each behind
    /// a gateway of its own. Made by [`cluster`](Self::cluster).
    ///
    /// Clients see the gateways and nothing else: `CLUSTER SLOTS`, `SHARDS`
    /// and `NODES`, `ROLE`, `INFO` and the redirections `MOVED` and `ASK` name
    /// their ports, those without TLS on a connection without TLS and those
    /// with TLS on one with it, always at 127.0.0.1. Inside a transaction only
    /// redirections are so rewritten. Every node wants a log-in, replicas too.
    /// [`Emulator::cluster`](crate::Emulator::cluster) steers it.
    ///
    /// A node counts as failed after two seconds (`cluster-node-timeout`), and
    /// a replica takes over if most primaries live: with fewer than three
    /// primaries none does by itself.
    #[non_exhaustive]
    Cluster {
        /// Nodes that share the 16384 slots among them at the start.
        primaries: u16,
        /// Replicas of each.
        replicas_per_primary: u16,
    },
}

impl Store {
    /// A Redis Cluster of so many primaries, each with so many replicas: at
    /// least one primary, and at most 60 nodes. See [`Store::Cluster`].
    #[must_use]
    pub fn cluster(primaries: u16, replicas_per_primary: u16) -> Self {
        Self::Cluster {
            primaries,
            replicas_per_primary,
        }
    }

    /// Whether it can be.
    pub(crate) fn check(&self) -> Result<(), EmulatorError> {
        if (1..=MOST_NODES).contains(&self.nodes()) {
            return Ok(());
        }
        let allowed = "a cluster of at least one primary and at most 60 nodes";
        Err(invalid("store", &format!("{self:?}"), allowed))
    }

    /// How many nodes with data it has, each with a gateway.
    pub(crate) fn nodes(&self) -> usize {
        match *self {
            Self::Embedded | Self::RedisServer | Self::Url(_) => 1,
            Self::Cluster {
                primaries,
                replicas_per_primary,
            } => usize::from(primaries) * (usize::from(replicas_per_primary) + 1),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded => f.write_str("Embedded"),
            Self::RedisServer => f.write_str("RedisServer"),
            // It may hold a password.
            Self::Url(_) => f.write_str("Url(..)"),
            Self::Cluster {
                primaries,
                replicas_per_primary,
            } => f
                .debug_struct("Cluster")
                .field("primaries", primaries)
                .field("replicas_per_primary", replicas_per_primary)
                .finish(),
        }
    }
}
