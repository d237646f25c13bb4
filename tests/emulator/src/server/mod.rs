//! What stands behind the gateways: the embedded store, `redis-server` children, or a Redis that
//! runs elsewhere.

mod admin;
mod attempts;
mod child;
mod cluster;
mod elsewhere;
mod forming;
mod node;
mod ports;
mod sentinel;
mod setting;

use std::io;

pub(crate) use self::child::RedisServer;
pub(crate) use self::forming::Turn;
pub(crate) use self::node::Link;
use self::{
    child::{Launch, Mode},
    node::Node,
};
pub use self::{
    cluster::ClusterControl,
    sentinel::SentinelControl,
    setting::{SentinelAuth, Store},
};
use crate::{EmulatorError, random, store};

/// The one store of an emulator.
pub(crate) struct Backend {
    nodes: Vec<Node>,
    user: String,
    password: String,
    /// No user has this name, so that Redis words the refusal.
    nobody: String,
}

impl Backend {
    /// The store itself, without sentinels.
    pub(crate) async fn start(
        store: &Store,
        program: &str,
        user: &str,
    ) -> Result<Self, EmulatorError> {
        let password = random::secret()?;
        let launch = |mode| {
            Ok::<_, EmulatorError>(Launch {
                program: program.to_owned(),
                mode,
                settings: String::new(),
                default_password: Some(random::secret()?),
                user: user.to_owned(),
                password: password.clone(),
            })
        };
        let count = store.nodes();
        let nodes = match store {
            Store::Embedded => vec![Node::embedded(store::Shared::new(user, &password))],
            Store::RedisServer => {
                vec![Node::child(RedisServer::start(launch(Mode::Alone)?).await?)]
            }
            Store::Url(url) => {
                let address = elsewhere::address(url)?;
                elsewhere::prepare(&address, user, &password).await?;
                vec![Node::elsewhere(address)]
            }
            &Store::Cluster { primaries, .. } => {
                let launch = launch(Mode::Member)?;
                children(cluster::start(launch, count, primaries.into()).await?)
            }
            Store::Sentinel { .. } => {
                children(sentinel::start_watched(launch(Mode::Member)?, count).await?)
            }
        };
        Self::of(nodes, user, password)
    }

    /// The sentinels that watch this store.
    pub(crate) async fn start_sentinels(
        &self,
        count: usize,
        login: &SentinelAuth,
        program: &str,
    ) -> Result<Self, EmulatorError> {
        let default_password = match login {
            SentinelAuth::None => None,
            SentinelAuth::Token | SentinelAuth::Password { .. } => Some(random::secret()?),
        };
        let launch = Launch {
            program: program.to_owned(),
            mode: Mode::Sentinel,
            settings: String::new(),
            default_password,
            user: self.user.clone(),
            password: random::secret()?,
        };
        let password = launch.password.clone();
        let servers = sentinel::start_watching(launch, count, &self.servers()).await?;
        Self::of(children(servers), &self.user, password)
    }

    fn of(nodes: Vec<Node>, user: &str, password: String) -> Result<Self, EmulatorError> {
        Ok(Self {
            nodes,
            user: user.to_owned(),
            password,
            nobody: format!("nobody-{}", random::secret()?),
        })
    }

    /// What the backend is to be told for a good log-in, or for a bad one.
    pub(crate) fn credentials(&self, good: bool) -> (&str, &str) {
        if good {
            (&self.user, &self.password)
        } else {
            (&self.nobody, "")
        }
    }

    pub(crate) async fn connect(&self, node: usize) -> io::Result<Link> {
        let node = self.nodes.get(node).ok_or(io::ErrorKind::NotFound)?;
        node.connect().await
    }

    /// Its children.
    pub(crate) fn servers(&self) -> Vec<&RedisServer> {
        self.nodes.iter().filter_map(Node::server).collect()
    }

    /// Those of them that are not stopped.
    pub(crate) fn running(&self) -> Vec<&RedisServer> {
        let running = self.nodes.iter().filter(|node| node.runs());
        running.filter_map(Node::server).collect()
    }

    /// The child of this index.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn server(&self, node: usize) -> &RedisServer {
        let server = self.nodes.get(node).and_then(Node::server);
        server.unwrap_or_else(|| panic!("there is no node {node}, but {}", self.nodes.len()))
    }

    /// The index of the child that listens on this port itself.
    pub(crate) fn index_of(&self, port: u16) -> Option<usize> {
        let mut servers = self.nodes.iter().map(Node::server);
        servers.position(|server| server.is_some_and(|server| server.port() == port))
    }

    pub(crate) fn stop_node(&self, node: usize) {
        self.nodes[node].stop();
    }

    pub(crate) async fn resume_node(&self, node: usize) -> Result<(), EmulatorError> {
        self.nodes[node].resume().await
    }

    pub(crate) fn stop(&self) {
        for node in &self.nodes {
            node.stop();
        }
    }

    /// Leaves nothing behind.
    pub(crate) fn end(&self) {
        for node in &self.nodes {
            node.end(&self.user, &self.password);
        }
    }

    pub(crate) async fn resume(&self) -> Result<(), EmulatorError> {
        for node in &self.nodes {
            node.resume().await?;
        }
        Ok(())
    }
}

fn children(servers: Vec<RedisServer>) -> Vec<Node> {
    servers.into_iter().map(Node::child).collect()
}
