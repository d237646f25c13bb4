//! Ports for `redis-server` children. Another process may take one between our looking and the
//! child's binding; then the child ends, and another port is tried.

use std::{
    collections::BTreeSet,
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::EmulatorError;

/// Neither these nor the bus ports that belong to them are handed out to outgoing connections
/// (from 32768 on Linux, from 49152 elsewhere), so that a node that was killed finds its port
/// free when it comes back. None of them is the number of a slot.
const LASTING: Range<u16> = 17_000..22_700;
/// How far the cluster bus is from the port of a node (Redis Cluster specification).
const BUS: u16 = 10_000;
const TRIES: usize = 200;

/// Those of this process's servers, whose own they are also while one is stopped.
static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());

/// A port that is free now, as is its bus port, and is likely to be so again; to
/// be [given back](give_back).
pub(crate) fn lasting() -> Result<u16, EmulatorError> {
    let mut tries = 1;
    loop {
        let port = fastrand::u16(LASTING);
        match take(port) {
            Ok(()) => return Ok(port),
            Err(source) if tries == TRIES => return Err(failed(local(port), source)),
            Err(_) => tries += 1,
        }
    }
}

fn take(port: u16) -> io::Result<()> {
    if !taken().insert(port) {
        return Err(io::ErrorKind::AddrInUse.into());
    }
    let bus = TcpListener::bind(local(port + BUS));
    let bound = bus.and_then(|_bus| TcpListener::bind(local(port)));
    bound.map(drop).inspect_err(|_| give_back(port))
}

/// Its server is no more.
pub(crate) fn give_back(port: u16) {
    taken().remove(&port);
}

fn taken() -> MutexGuard<'static, BTreeSet<u16>> {
    TAKEN.lock().unwrap_or_else(PoisonError::into_inner)
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
