//! HTTPS to a server that is known by its certificate's thumbprint, which ureq
//! has no room for.

mod verifier;

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::threads;

use async_trait::async_trait;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use url::{Host, Url};
use zeroize::Zeroizing;

use super::message;
use super::ureq::{CONNECT_TIMEOUT, TIMEOUT, USER_AGENT, io_error};
use super::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse, MAX_RESPONSE_BODY};
pub(crate) use verifier::Thumbprint;

/// The longest response that is read, headers included.
const LONGEST: usize = MAX_RESPONSE_BODY + 64 * 1024;

/// Asks one server, over a connection for each request, on a thread of its own;
/// through no proxy, and with the time limits that
/// [`UreqClient`](super::UreqClient) has by default.
pub(crate) struct PinnedClient(Arc<ClientConfig>);

impl PinnedClient {
    pub(crate) fn new(thumbprint: Thumbprint) -> Result<Self, rustls::Error> {
        verifier::config(thumbprint).map(|config| Self(Arc::new(config)))
    }
}

impl fmt::Debug for PinnedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PinnedClient").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for PinnedClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let socket = Socket::default();
        let _shutdown = ShutdownOnDrop(socket.clone());
        let tls = Arc::clone(&self.0);
        threads::unblock(move || exchange(tls, &socket, &request)).await
    }
}

fn exchange(
    tls: Arc<ClientConfig>,
    socket: &Socket,
    request: &HttpRequest,
) -> Result<HttpResponse, HttpError> {
    let other = |reason: &'static str| HttpError::new(HttpErrorKind::Other, reason);
    let breaks = |text: &str| text.contains(['\r', '\n', '\0']);
    if request
        .headers()
        .any(|(name, value)| breaks(name) || breaks(value))
    {
        return Err(other("a header with a line break in it"));
    }
    let limit = request
        .time_limit()
        .map_or(TIMEOUT, |limit| limit.min(TIMEOUT));
    let deadline = Instant::now() + limit;
    let url = Url::parse(request.url()).map_err(|_| other("the URL can't be read"))?;
    let name = match url.host() {
        Some(Host::Domain(name)) => ServerName::try_from(name.to_owned()).ok(),
        Some(Host::Ipv4(address)) => Some(ServerName::from(std::net::IpAddr::from(address))),
        Some(Host::Ipv6(address)) => Some(ServerName::from(std::net::IpAddr::from(address))),
        None => None,
    };
    let name = name.ok_or_else(|| other("the URL's host is no name for a TLS server"))?;
    let session =
        ClientConnection::new(tls, name).map_err(|error| io_error(io::Error::other(error)))?;
    let tcp = connect(&url, deadline)
        .and_then(|tcp| socket.hold(tcp))
        .map_err(io_error)?;
    let mut stream = StreamOwned::new(session, Timed { tcp, deadline });
    stream.write_all(&head(&url, request)).map_err(io_error)?;
    stream.write_all(request.body()).map_err(io_error)?;
    stream.flush().map_err(io_error)?;
    read(&mut stream)
}

fn connect(url: &Url, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in url.socket_addrs(|| None)? {
        let limit = left(deadline)?.min(CONNECT_TIMEOUT);
        match TcpStream::connect_timeout(&address, limit) {
            Ok(tcp) => return Ok(tcp),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// In one piece: growing would leave copies of a secret behind.
fn head(url: &Url, request: &HttpRequest) -> Zeroizing<Vec<u8>> {
    let target = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let host = &url[url::Position::BeforeHost..url::Position::AfterPort];
    let length = request.body().len().to_string();
    let own = [
        ("host", host),
        ("user-agent", USER_AGENT),
        ("connection", "close"),
        ("content-length", &length),
    ];
    let headers: Vec<_> = own.into_iter().chain(request.headers()).collect();
    let longest: usize = headers
        .iter()
        .map(|(name, value)| name.len() + value.len() + 4)
        .sum();
    let mut head = Zeroizing::new(Vec::with_capacity(longest + target.len() + 32));
    for part in [request.method().as_str(), " ", target, " HTTP/1.1\r\n"] {
        head.extend_from_slice(part.as_bytes());
    }
    for (name, value) in headers {
        for part in [name, ": ", value, "\r\n"] {
            head.extend_from_slice(part.as_bytes());
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

fn read(stream: &mut impl Read) -> Result<HttpResponse, HttpError> {
    let mut buffer = Zeroizing::new(Vec::with_capacity(LONGEST));
    let mut piece = Zeroizing::new(vec![0; 16 * 1024]);
    loop {
        let read = match stream.read(&mut piece) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(io_error(error)),
        };
        if buffer.len() + read > LONGEST {
            let reason = format!("a response of more than {LONGEST} bytes");
            return Err(HttpError::new(HttpErrorKind::TooLarge, reason));
        }
        buffer.extend_from_slice(&piece[..read]);
        match message::parse(&buffer, read == 0) {
            Ok(Some(response)) => return Ok(response),
            Ok(None) => {}
            Err(reason) => return Err(HttpError::new(HttpErrorKind::Other, reason)),
        }
    }
}

/// A stream whose every step ends by one deadline.
struct Timed {
    tcp: TcpStream,
    deadline: Instant,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(Some(left(self.deadline)?))?;
        self.tcp.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(Some(left(self.deadline)?))?;
        self.tcp.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(left)
}

/// The socket of a request, to be shut down when its future is dropped.
#[derive(Clone, Default)]
struct Socket(Arc<Mutex<(bool, Option<TcpStream>)>>);

impl Socket {
    fn hold(&self, tcp: TcpStream) -> io::Result<TcpStream> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.0 {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        held.1 = Some(tcp.try_clone()?);
        Ok(tcp)
    }
}

struct ShutdownOnDrop(Socket);

impl Drop for ShutdownOnDrop {
    fn drop(&mut self) {
        let mut held = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.0 = true;
        if let Some(tcp) = held.1.take() {
            // It may be closed already.
            let _ = tcp.shutdown(Shutdown::Both);
        }
    }
}
