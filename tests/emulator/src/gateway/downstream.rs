//! From the backend to the client: replies are passed on as they are, and read on the way.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{control::RedisControl, registry::Connection, reply::ReplyScanner};

/// How much is read at once.
const READ: usize = 16 << 10;

/// Passes replies on until the backend closes.
pub(crate) async fn run(
    mut backend: impl AsyncRead + Unpin,
    mut client: impl AsyncWrite + Unpin,
    connection: &Connection,
    control: &RedisControl,
) -> io::Result<()> {
    let mut scanner = ReplyScanner::default();
    let mut buffer = vec![0; READ];
    loop {
        let read = backend.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        let bytes = &buffer[..read];
        note(bytes, &mut scanner, connection, control);
        client.write_all(bytes).await?;
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

fn note(
    mut bytes: &[u8],
    scanner: &mut ReplyScanner,
    connection: &Connection,
    control: &RedisControl,
) {
    let mut session = connection.session();
    let mut login_changed = false;
    while !bytes.is_empty() {
        let (taken, ended) = scanner.scan(bytes);
        bytes = &bytes[taken..];
        if ended {
            login_changed |= session.replied(&scanner.reply(), &control.counters);
            scanner.record_elements(session.wants_elements());
        }
    }
    drop(session);
    if login_changed {
        connection.login_changed.notify_one();
    }
}
