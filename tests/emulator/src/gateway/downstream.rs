//! From the backend to the client: replies are read on the way, and passed on as they are, unless
//! they name ports that clients must not see.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    control::RedisControl,
    registry::Connection,
    reply::ReplyScanner,
    rewrite::{Rewriter, Scope},
};

/// How much is read at once.
const READ: usize = 16 << 10;
/// The longest reply that is held to be rewritten. Topologies are far shorter.
const LONGEST_HELD: usize = 16 << 20;

/// Passes replies on until the backend closes.
pub(crate) async fn run(
    mut backend: impl AsyncRead + Unpin,
    mut client: impl AsyncWrite + Unpin,
    connection: &Connection,
    control: &RedisControl,
) -> io::Result<()> {
    let mut downstream = Downstream {
        connection,
        control,
        scanner: ReplyScanner::default(),
        held: BytesMut::new(),
        too_long: false,
        out: BytesMut::new(),
    };
    let mut buffer = vec![0; READ];
    loop {
        let read = backend.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        let bytes = &buffer[..read];
        match &connection.route.rewriter {
            None => {
                downstream.note(bytes, None);
                client.write_all(bytes).await?;
            }
            Some(rewriter) => {
                downstream.note(bytes, Some(rewriter));
                client.write_all(&downstream.out).await?;
                downstream.out.clear();
            }
        }
        // A TLS stream keeps what it could not send yet.
        client.flush().await?;
    }
    let farewell = connection.session().farewell.take();
    if let Some(text) = farewell {
        client
            .write_all(format!("-ERR {text}\r\n").as_bytes())
            .await?;
    }
    client.shutdown().await
}

struct Downstream<'a> {
    connection: &'a Connection,
    control: &'a RedisControl,
    scanner: ReplyScanner,
    /// The part of a reply whose end is still to come.
    held: BytesMut,
    /// Whether some of that reply has gone out already.
    too_long: bool,
    /// What goes to the client, if replies are rewritten.
    out: BytesMut,
}

impl Downstream<'_> {
    fn note(&mut self, mut bytes: &[u8], rewriter: Option<&Rewriter>) {
        let mut session = self.connection.session();
        let mut login_changed = false;
        while !bytes.is_empty() {
            let (taken, ended) = self.scanner.scan(bytes);
            let part;
            (part, bytes) = bytes.split_at(taken);
            if rewriter.is_some() {
                self.held.extend_from_slice(part);
            }
            if ended {
                let reply = self.scanner.reply();
                if let Some(rewriter) = rewriter {
                    let all = self.control.names_nodes() || session.answers_topology(&reply);
                    let scope = if all {
                        Scope::Topology
                    } else {
                        Scope::Redirections
                    };
                    if self.too_long {
                        self.out.extend_from_slice(&self.held);
                    } else {
                        rewriter.rewrite(&self.held, scope, &mut self.out);
                    }
                    self.held.clear();
                    self.too_long = false;
                }
                login_changed |= session.replied(&reply, &self.control.counters);
                self.scanner.record_elements(session.wants_elements());
            }
        }
        drop(session);
        if self.held.len() > LONGEST_HELD || self.scanner.is_lost() {
            self.out.extend_from_slice(&self.held);
            self.held.clear();
            self.too_long = true;
        }
        if login_changed {
            self.connection.login_changed.notify_one();
        }
    }
}
