//! A node's listeners, and what is known of a connection by the one it came in at.

use std::{collections::HashMap, future::Future, sync::Arc};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::{RedisControl, rewrite::Rewriter};
use crate::{EmulatorError, listener, server::RedisServer};

/// Where a connection came in.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    /// Which node is behind the gateway.
    pub(crate) node: usize,
    /// The listener's port.
    pub(crate) port: u16,
    /// Replaces what servers say of each other, if there are several.
    pub(crate) rewriter: Option<Rewriter>,
}

/// The listeners of one node's gateway, without TLS and with it.
pub(crate) struct Door {
    plain: TcpListener,
    plain_port: u16,
    tls: TcpListener,
    tls_port: u16,
    tls_ipv6: Option<TcpListener>,
}

impl Door {
    /// One for each node; the ports given are the first one's, 0 for free ones.
    pub(crate) fn open(
        nodes: usize,
        plain_port: u16,
        tls_port: u16,
    ) -> Result<Vec<Self>, EmulatorError> {
        let mut doors = Vec::with_capacity(nodes);
        for node in 0..nodes {
            let (plain_port, tls_port) = if node == 0 {
                (plain_port, tls_port)
            } else {
                (0, 0)
            };
            let (plain, plain_port) = listener::bind("plain Redis", plain_port)?;
            let (tls, tls_port) = listener::bind("TLS Redis", tls_port)?;
            doors.push(Self {
                plain,
                plain_port,
                tls,
                tls_port,
                tls_ipv6: listener::bind_ipv6(tls_port),
            });
        }
        Ok(doors)
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.plain_port)
    }

    pub(crate) fn tls_url(&self) -> String {
        format!("rediss://localhost:{}", self.tls_port)
    }

    /// Serves each, as the node of its index.
    pub(crate) fn serve(
        doors: Vec<Self>,
        tls: &TlsAcceptor,
        rewriters: Option<&Rewriters>,
        control: &Arc<RedisControl>,
    ) -> Vec<impl Future<Output = ()> + Send + use<>> {
        let (plain_rewriter, tls_rewriter) = rewriters.map(Rewriters::made).unzip();
        let mut serving = Vec::new();
        for (node, door) in doors.into_iter().enumerate() {
            let plain = Route {
                node,
                port: door.plain_port,
                rewriter: plain_rewriter.clone(),
            };
            let secured = Route {
                node,
                port: door.tls_port,
                rewriter: tls_rewriter.clone(),
            };
            serving.push(super::serve(door.plain, None, plain, Arc::clone(control)));
            for listener in [Some(door.tls), door.tls_ipv6].into_iter().flatten() {
                let (tls, route) = (Some(tls.clone()), secured.clone());
                serving.push(super::serve(listener, tls, route, Arc::clone(control)));
            }
        }
        serving
    }
}

/// From the servers' ports to those of their gateways, for either kind of
/// connection.
#[derive(Debug, Default)]
pub(crate) struct Rewriters {
    plain: HashMap<u16, u16>,
    tls: HashMap<u16, u16>,
}

impl Rewriters {
    /// These servers are behind those doors.
    pub(crate) fn add(&mut self, servers: &[&RedisServer], doors: &[Door]) {
        for (server, door) in servers.iter().zip(doors) {
            self.plain.insert(server.port(), door.plain_port);
            self.tls.insert(server.port(), door.tls_port);
        }
    }

    fn made(&self) -> (Rewriter, Rewriter) {
        (
            Rewriter::new(self.plain.clone()),
            Rewriter::new(self.tls.clone()),
        )
    }
}
