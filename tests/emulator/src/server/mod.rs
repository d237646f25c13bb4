//! What stands behind the gateways: the embedded store, `redis-server` children, or a Redis that
//! runs elsewhere.

mod admin;
mod attempts;
mod child;
mod cluster;
mod elsewhere;
mod node;
mod ports;
mod setting;

use std::io;

pub(crate) use self::node::Link;
use self::{
    child::{Launch, Mode, RedisServer},
    node::Node,
};
pub use self::{cluster::ClusterControl, setting::Store};
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
                default_password: random::secret()?,
                user: user.to_owned(),
                password: password.clone(),
            })
        };
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
                let launch = launch(Mode::ClusterNode)?;
                let servers = cluster::start(launch, store.nodes(), primaries.into()).await?;
                servers.into_iter().map(Node::child).collect()
            }
        };
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

    pub(crate) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The ports that the children themselves listen on.
    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> {
        self.nodes
            .iter()
            .filter_map(Node::server)
            .map(RedisServer::port)
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
