//! Ports for `redis-server` children. Another process may take one between our looking and the
//! child's binding; then the child ends, and another port is tried.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::Arc,
};

use crate::EmulatorError;

/// Neither these nor the bus ports that belong to them are handed out to outgoing connections
/// (from 32768 on Linux, from 49152 elsewhere), so that a node that was killed finds its port
/// free when it comes back. None of them is the number of a slot.
const LASTING: Range<u16> = 17_000..22_700;
/// How far the cluster bus is from the port of a node (Redis Cluster specification).
const BUS: u16 = 10_000;
const TRIES: usize = 200;

/// A port that is free now.
pub(crate) fn free() -> Result<u16, EmulatorError> {
    let address = local(0);
    TcpListener::bind(address)
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|source| failed(address, source))
}

/// A port that is free now, as is its bus port, and is likely to be so again.
pub(crate) fn lasting() -> Result<u16, EmulatorError> {
    let mut tries = 1;
    loop {
        let port = fastrand::u16(LASTING);
        let bus = TcpListener::bind(local(port + BUS));
        let bound = bus.and_then(|_bus| TcpListener::bind(local(port)));
        match bound {
            Ok(_) => return Ok(port),
            Err(source) if tries == TRIES => return Err(failed(local(port), source)),
            Err(_) => tries += 1,
        }
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

fn failed(address: SocketAddr, source: io::Error) -> EmulatorError {
    EmulatorError::Bind {
        purpose: "redis-server",
        address,
        source: Arc::new(source),
    }
}
