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
    /// [`EmulatorBuilder::redis_server_program`](crate::EmulatorBuilder::redis_server_program).
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
    /// A node counts as failed after three seconds (`cluster-node-timeout`), and
    /// a replica takes over if most primaries live: with fewer than three
    /// primaries none does by itself.
    ///
    /// On one machine one cluster, or one set of sentinels, starts at a time: the others
    /// wait for it, at most a minute, by a lock on the file `authx-emulator.lock` in the
    /// system's folder for temporary files.
    #[non_exhaustive]
    Cluster {
        /// Nodes that share the 16384 slots among them at the start.
        primaries: u16,
        /// Replicas of each.
        replicas_per_primary: u16,
    },
    /// A master and its replicas, and sentinels that watch them: all
    /// `redis-server` children, each behind a gateway of its own. Made by
    /// [`sentinel`](Self::sentinel).
    ///
    /// Sentinels speak of gateways and nothing else, those without TLS on a
    /// connection without TLS and those with TLS on one with it, always at
    /// 127.0.0.1; so do `ROLE` and `INFO`. The master and the replicas want a
    /// token; of sentinels,
    /// [`EmulatorBuilder::sentinel_login`](crate::EmulatorBuilder::sentinel_login) says what
    /// they want. [`Emulator::sentinel`](crate::Emulator::sentinel) steers it.
    ///
    /// A master counts as dead after three seconds (`down-after-milliseconds`), if
    /// most sentinels say so. They start one at a time, as clusters do.
    #[non_exhaustive]
    Sentinel {
        /// Replicas of the master.
        replicas: u16,
        /// Sentinels.
        sentinels: u16,
    },
}

/// What a client has to say to a sentinel before it is answered.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SentinelAuth {
    /// Nothing, as is usual. A log-in is answered as by a sentinel that has no
    /// passwords.
    #[default]
    None,
    /// The same as to Redis: the object id and a token, which ends the
    /// connection when it expires.
    Token,
    /// A user name and a password. Made by [`password`](Self::password).
    #[non_exhaustive]
    Password {
        /// The name; `default` also lets in who names none.
        user: String,
        /// The password.
        password: String,
    },
}

impl SentinelAuth {
    /// This user name and password, which never expire.
    #[must_use]
    pub fn password(user: impl Into<String>, password: impl Into<String>) -> Self {
        Self::Password {
            user: user.into(),
            password: password.into(),
        }
    }
}

impl fmt::Debug for SentinelAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Token => "Token",
            Self::Password { .. } => "Password(..)",
        })
    }
}

impl Store {
    /// A master with so many replicas, and so many sentinels that watch them:
    /// at most 59 replicas, and from one sentinel to 60. See
    /// [`Store::Sentinel`].
    #[must_use]
    pub fn sentinel(replicas: u16, sentinels: u16) -> Self {
        Self::Sentinel {
            replicas,
            sentinels,
        }
    }

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
        let sentinels = self.sentinels();
        let watched = !matches!(self, Self::Sentinel { .. }) || sentinels > 0;
        if watched && (1..=MOST_NODES).contains(&self.nodes()) && sentinels <= MOST_NODES {
            return Ok(());
        }
        let allowed = "at least one primary or sentinel, and at most 60 nodes and 60 sentinels";
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
            Self::Sentinel { replicas, .. } => usize::from(replicas) + 1,
        }
    }

    /// How many sentinels, each with a gateway too.
    pub(crate) fn sentinels(&self) -> usize {
        match *self {
            Self::Sentinel { sentinels, .. } => sentinels.into(),
            _ => 0,
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
            Self::Sentinel {
                replicas,
                sentinels,
            } => f
                .debug_struct("Sentinel")
                .field("replicas", replicas)
                .field("sentinels", sentinels)
                .finish(),
        }
    }
}
