//! One node of the store, whichever it is.

use std::{
    future::{self, Future},
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use tokio::{io::duplex, net::TcpStream};

use super::{
    child::RedisServer,
    elsewhere::{self, Address},
};
use crate::{EmulatorError, listener::Stream, store};

/// A connection to a node, and what has to be polled for it to live.
pub(crate) struct Link {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) serving: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// See the module's description.
pub(crate) struct Node {
    kind: Kind,
    running: AtomicBool,
}

enum Kind {
    Embedded(Arc<store::Shared>),
    Child(Box<RedisServer>),
    Elsewhere(Address),
}

/// How much the gateway and the embedded store hold for each other.
const PIPE: usize = 64 << 10;

impl Node {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            running: AtomicBool::new(true),
        }
    }

    pub(crate) fn embedded(shared: Arc<store::Shared>) -> Self {
        Self::new(Kind::Embedded(shared))
    }

    pub(crate) fn child(server: RedisServer) -> Self {
        Self::new(Kind::Child(Box::new(server)))
    }

    pub(crate) fn elsewhere(address: Address) -> Self {
        Self::new(Kind::Elsewhere(address))
    }

    /// The child, if it is one.
    pub(crate) fn server(&self) -> Option<&RedisServer> {
        match &self.kind {
            Kind::Child(server) => Some(server),
            Kind::Embedded(_) | Kind::Elsewhere(_) => None,
        }
    }

    pub(crate) fn runs(&self) -> bool {
        self.running.load(SeqCst)
    }

    pub(crate) async fn connect(&self) -> io::Result<Link> {
        if !self.runs() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (host, port) = match &self.kind {
            Kind::Embedded(shared) => {
                let (ours, theirs) = duplex(PIPE);
                return Ok(Link {
                    stream: Box::new(ours),
                    serving: Box::pin(store::serve(Arc::clone(shared), theirs)),
                });
            }
            Kind::Child(server) => ("127.0.0.1", server.port()),
            Kind::Elsewhere(address) => (address.host.as_str(), address.port),
        };
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        Ok(Link {
            stream: Box::new(stream),
            serving: Box::pin(future::pending()),
        })
    }

    pub(crate) fn stop(&self) {
        self.running.store(false, SeqCst);
        if let Kind::Child(server) = &self.kind {
            server.kill();
        }
    }

    pub(crate) async fn resume(&self) -> Result<(), EmulatorError> {
        if self.runs() {
            return Ok(());
        }
        if let Kind::Child(server) = &self.kind {
            server.run_again().await?;
        }
        self.running.store(true, SeqCst);
        Ok(())
    }

    /// Leaves nothing behind.
    pub(crate) fn end(&self, user: &str, password: &str) {
        match &self.kind {
            Kind::Embedded(_) => {}
            Kind::Child(server) => server.remove(),
            Kind::Elsewhere(address) => elsewhere::take_back(address, user, password),
        }
    }
}
