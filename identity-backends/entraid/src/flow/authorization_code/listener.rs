//! The smallest web server that can receive a redirect (RFC 8252 §7.3).

mod connection;
mod page;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use super::redirect_uri::Local;
pub(super) use connection::Request;
use connection::{Connection, Progress};

/// How many connections may be under way at once. A browser opens one or two
/// ahead of need.
const MOST: usize = 16;
/// How long a connection may take for its request.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often a free port is tried that is free on both loopback addresses.
const TRIES: usize = 16;

pub(super) struct Listener {
    sockets: Vec<TcpListener>,
    port: u16,
    path: String,
    connections: Vec<Connection>,
}

impl Listener {
    pub(super) fn bind(local: &Local) -> io::Result<Self> {
        let mut tries = if local.port == 0 { TRIES } else { 1 };
        loop {
            tries -= 1;
            match sockets(local) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse && tries > 0 => {}
                Err(error) => return Err(error),
                Ok((sockets, port)) => {
                    return Ok(Self {
                        sockets,
                        port,
                        path: local.path().to_owned(),
                        connections: Vec::new(),
                    });
                }
            }
        }
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// Goes on with whatever can go on, without waiting for anybody; the first
    /// request that is a redirect's.
    pub(super) fn look(&mut self, now: Instant) -> Option<Request> {
        self.accept(now);
        let mut waiting = Vec::new();
        let mut found = None;
        for connection in self.connections.drain(..) {
            if found.is_some() {
                waiting.push(connection);
                continue;
            }
            match connection.go_on(&self.path) {
                Progress::Waits(connection) if now < connection.since + PATIENCE => {
                    waiting.push(connection);
                }
                Progress::Waits(_) | Progress::Over => {}
                Progress::Redirected(request) => found = Some(request),
            }
        }
        self.connections = waiting;
        found
    }

    fn accept(&mut self, now: Instant) {
        // At most as many as there may be: others get their turn.
        for socket in &self.sockets {
            for _ in 0..MOST {
                // Nobody is there, or who was has gone, or the process has too
                // many files open: all of it passes.
                let Ok((stream, _)) = socket.accept() else {
                    break;
                };
                if stream.set_nonblocking(true).is_err() {
                    continue;
                }
                if self.connections.len() == MOST {
                    self.connections.remove(0);
                }
                self.connections.push(Connection::new(stream, now));
            }
        }
    }
}

/// For `localhost` both addresses, where there are two.
fn sockets(local: &Local) -> io::Result<(Vec<TcpListener>, u16)> {
    let address = local.host.parse().unwrap_or(Ipv4Addr::LOCALHOST);
    let first = open(IpAddr::V4(address), local.port)?;
    let port = first.local_addr()?.port();
    let mut sockets = vec![first];
    if local.host == "localhost" {
        match open(IpAddr::V6(Ipv6Addr::LOCALHOST), port) {
            Ok(second) => sockets.push(second),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(_) => {} // no IPv6 here
        }
    }
    Ok((sockets, port))
}

fn open(address: IpAddr, port: u16) -> io::Result<TcpListener> {
    let socket = TcpListener::bind(SocketAddr::new(address, port))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
