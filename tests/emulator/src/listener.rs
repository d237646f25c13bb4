//! Loopback listeners: accept, hand over, and end every connection's task with the listener's own.

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinSet,
    time,
};
use tokio_rustls::TlsAcceptor;

use crate::EmulatorError;

/// How long a client may take for the TLS handshake, on a machine however busy.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(30);

/// How many connections may wait to be accepted, if the system lets them: of many
/// clients that start at once, those that find no place try again a second later.
const BACKLOG: u32 = 1024;

/// A byte stream of either kind.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// Opens a port on 127.0.0.1; 0 takes a free one.
pub(crate) fn bind(purpose: &'static str, port: u16) -> Result<(TcpListener, u16), EmulatorError> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let failed = |source: io::Error| EmulatorError::Bind {
        purpose,
        address,
        source: Arc::new(source),
    };
    let listener = listen(address).map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}

/// The same port on `::1`, for clients to whom `localhost` is that first. There
/// may be no IPv6, or someone else may have the port; then they fall back.
pub(crate) fn bind_ipv6(port: u16) -> Option<TcpListener> {
    listen(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).ok()
}

/// As [`TcpListener::bind`], which lets only 128 wait.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Accepts until dropped. The connections' tasks live in here, so that
/// dropping or aborting this future ends them all.
pub(crate) async fn accept_loop<F, Task>(listener: TcpListener, handle: F)
where
    F: Fn(TcpStream) -> Task,
    Task: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // Only a lost optimisation if it fails.
                    let _ = stream.set_nodelay(true);
                    connections.spawn(handle(stream));
                }
                // Out of file descriptors, or the peer is gone already: the
                // listener itself is fine.
                Err(_) => time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The server side of a TLS handshake; `None` if it failed or took too long.
pub(crate) async fn handshake(
    acceptor: &TlsAcceptor,
    stream: TcpStream,
) -> Option<impl Stream + use<>> {
    match time::timeout(HANDSHAKE_LIMIT, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        _ => None,
    }
}
