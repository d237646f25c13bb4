//! A server that broadcasts, and connections to it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use redis_authx::async_trait;
use redis_authx_session::handover::{Feed, Health, Kind, Link, Marker};

pub(crate) type Name = Vec<u8>;

/// The server's side of one connection.
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) subscribed: Vec<(Kind, Name)>,
    arrived: VecDeque<(Kind, Name, String)>,
    pub(crate) gone: bool,
    waker: Option<Waker>,
    /// The server does not reply on it.
    pub(crate) silent: bool,
    /// Runs once, when the feed is polled next.
    pub(crate) before_next: Option<Box<dyn FnOnce() + Send>>,
    /// Sent by the server and not yet delivered: that happens before the reply to
    /// a `PING` on another connection.
    pub(crate) under_way: Vec<(Kind, Name, String)>,
}

#[derive(Clone, Default)]
pub(crate) struct Connection(pub(crate) Arc<Mutex<Wire>>);

impl Connection {
    pub(crate) fn wire<T>(&self, act: impl FnOnce(&mut Wire) -> T) -> T {
        let mut wire = self.0.lock().unwrap();
        let result = act(&mut wire);
        let waker = wire.waker.take();
        drop(wire);
        if let Some(waker) = waker {
            waker.wake();
        }
        result
    }

    pub(crate) fn end(&self) {
        self.wire(|wire| wire.gone = true);
    }
}

#[derive(Clone, Default)]
pub(crate) struct Server {
    connections: Arc<Mutex<Vec<Connection>>>,
    /// The user may not subscribe to markers.
    refuses_markers: bool,
    /// Connections take commands while they are subscribed, and sharded channels.
    resp3: Arc<AtomicBool>,
}

impl Server {
    pub(crate) fn without_markers() -> Self {
        Self {
            refuses_markers: true,
            ..Self::default()
        }
    }

    pub(crate) fn speaks_resp3(&self) {
        self.resp3.store(true, Ordering::SeqCst);
    }

    /// The newest connection, and how many there have been.
    pub(crate) fn newest(&self) -> (Connection, usize) {
        let connections = self.connections.lock().unwrap();
        (connections.last().unwrap().clone(), connections.len())
    }

    pub(crate) fn connect(&self) -> (Socket, Arrivals) {
        let connection = Connection::default();
        self.connections.lock().unwrap().push(connection.clone());
        let socket = Socket {
            health: Health::default(),
            connection: connection.clone(),
            server: self.clone(),
            resp3: self.resp3.load(Ordering::SeqCst),
        };
        (socket, Arrivals(connection))
    }

    /// Sends to all subscribed connections; a pattern matches everything.
    pub(crate) fn publish(&self, channel: &str, payload: &str) {
        for connection in self.connections.lock().unwrap().iter() {
            connection.wire(|wire| {
                for (kind, name) in wire.subscribed.clone() {
                    if kind == Kind::Pattern || name == channel.as_bytes() {
                        let message = (kind, channel.into(), payload.to_owned());
                        wire.arrived.push_back(message);
                    }
                }
            });
        }
    }
}

pub(crate) struct Socket {
    health: Health,
    connection: Connection,
    server: Server,
    resp3: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Closed,
    Refused,
}

impl Socket {
    async fn reply(&self) -> Result<(), Failure> {
        std::future::poll_fn(|_| {
            let wire = self.connection.0.lock().unwrap();
            match (wire.silent, wire.gone) {
                (true, _) => Poll::Pending,
                (_, true) => Poll::Ready(Err(Failure::Closed)),
                _ => Poll::Ready(Ok(())),
            }
        })
        .await
    }
}

#[async_trait]
impl Link for Socket {
    type Error = Failure;

    fn health(&self) -> &Health {
        &self.health
    }

    fn takes_commands(&self) -> bool {
        self.resp3
    }

    fn supports(&self, kind: Kind) -> bool {
        kind != Kind::Shard || self.resp3
    }

    async fn subscribe(&self, kind: Kind, names: &[Name]) -> Result<(), Failure> {
        self.reply().await?;
        let is_refused = |name: &Name| {
            name == b"forbidden" || (self.server.refuses_markers && Marker::is_marker(name))
        };
        if names.iter().any(is_refused) {
            return Err(Failure::Refused);
        }
        let names = names.iter().map(|name| (kind, name.clone()));
        self.connection.wire(|wire| wire.subscribed.extend(names));
        Ok(())
    }

    async fn unsubscribe(&self, _: Kind, names: &[Name]) -> Result<(), Failure> {
        let others = |(_, name): &(Kind, Name)| !names.contains(name);
        self.connection.wire(|wire| wire.subscribed.retain(others));
        self.reply().await
    }

    async fn ping(&self) -> Result<(), Failure> {
        self.reply().await?;
        for connection in self.server.connections.lock().unwrap().iter() {
            connection.wire(|wire| wire.arrived.extend(wire.under_way.drain(..)));
        }
        Ok(())
    }

    fn is_error_reply(error: &Failure) -> bool {
        *error == Failure::Refused
    }

    fn closed_error() -> Failure {
        Failure::Closed
    }
}

pub(crate) struct Arrivals(pub(crate) Connection);

impl Feed for Arrivals {
    type Message = (Kind, Name, String);

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Message>> {
        let before = self.0.0.lock().unwrap().before_next.take();
        if let Some(before) = before {
            before();
        }
        let mut wire = self.0.0.lock().unwrap();
        match wire.arrived.pop_front() {
            Some(message) => Poll::Ready(Some(message)),
            None if wire.gone => Poll::Ready(None),
            None => {
                wire.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    fn origin((kind, channel, _): &Self::Message) -> (Kind, &[u8]) {
        (*kind, channel)
    }
}
