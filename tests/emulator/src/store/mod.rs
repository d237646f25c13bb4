//! A small store inside the process, which speaks RESP2 and RESP3 as far as applications under
//! test commonly need it.
//!
//! It is no Redis: no scripts, streams, sorted sets, blocking commands, scanning, eviction or
//! persistence. What it does not know it answers with `ERR unknown command`.

mod commands;
mod data;
mod glob;
mod hub;
mod reply;
mod session;
mod subscriptions;

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use self::{data::Data, hub::Hub, session::Session};
use crate::gateway::{
    command,
    frame::{Scan, Scanner},
};

/// Replies are sent when they come to this much, even within one batch of requests.
const SEND_AT: usize = 64 << 10;
const READ: usize = 16 << 10;

/// What all sessions share.
pub(crate) struct Shared {
    user: String,
    password: String,
    data: Mutex<Data>,
    hub: Mutex<Hub>,
    sessions: AtomicU64,
}

impl Shared {
    pub(crate) fn new(user: &str, password: &str) -> Arc<Self> {
        Arc::new(Self {
            user: user.to_owned(),
            password: password.to_owned(),
            data: Mutex::new(Data::new()),
            hub: Mutex::default(),
            sessions: AtomicU64::new(0),
        })
    }

    fn data(&self) -> MutexGuard<'_, Data> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accepts(&self, user: &[u8], password: &[u8]) -> bool {
        user == self.user.as_bytes() && password == self.password.as_bytes()
    }

    fn next_session(&self) -> u64 {
        self.sessions.fetch_add(1, Relaxed) + 1
    }
}

/// Serves one connection until either side closes it.
pub(crate) async fn serve(shared: Arc<Shared>, mut stream: DuplexStream) {
    let mut session = Session::new(shared);
    let mut scanner = Scanner::default();
    let mut buffer = BytesMut::with_capacity(READ);
    let mut out = BytesMut::with_capacity(READ);
    loop {
        let mut done = 0;
        while let Scan::Request(request) = scanner.scan(&buffer[done..], true) {
            session.execute(&command::words(&buffer[done..], &request), &mut out);
            done += request.length;
            if session.ended() {
                break;
            }
            if out.len() >= SEND_AT && send(&mut stream, &mut out).await.is_none() {
                return;
            }
        }
        buffer.advance(done);
        if send(&mut stream, &mut out).await.is_none() || session.ended() {
            return;
        }
        buffer.reserve(READ);
        tokio::select! {
            read = stream.read_buf(&mut buffer) => match read {
                Ok(read) if read > 0 => {}
                _ => return,
            },
            message = session.message() => match message {
                Some(message) => session.deliver(message, &mut out),
                // Cut off for reading too slowly.
                None => return,
            },
        }
    }
}

async fn send(stream: &mut DuplexStream, out: &mut BytesMut) -> Option<()> {
    if !out.is_empty() {
        stream.write_all(out).await.ok()?;
        out.clear();
    }
    Some(())
}
