//! A small HTTP server on this machine: reads one request a connection, and
//! answers what it is told to.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

/// Longer than any test takes that does not hang.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Receiver<String>,
}

impl Server {
    /// Answers every request with these bytes, and closes.
    pub(crate) fn plain(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::start(move |stream, report| {
            let request = read_request(&mut BufReader::new(&stream))?;
            report(request);
            (&stream).write_all(&answer)
        })
    }

    /// Reads requests and never answers; says when the client hangs up.
    pub(crate) fn silent() -> Self {
        Self::start(|stream, report| {
            report(read_request(&mut BufReader::new(&stream))?);
            let end = (&stream).read(&mut [0])?;
            report(format!("closed after {end} more bytes"));
            Ok(())
        })
    }

    /// Over TLS, with a certificate for `localhost` signed by nobody; and that
    /// certificate as PEM.
    pub(crate) fn tls(answer: impl Into<Vec<u8>>) -> (Self, String) {
        let answer = answer.into();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a key");
        let pem = made.cert.pem();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("TLS versions")
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::from(key))
            .expect("a certificate");
        let config = Arc::new(config);
        let server = Self::start(move |stream, report| {
            let session = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(session, stream);
            let request = read_request(&mut BufReader::new(&mut stream))?;
            report(request);
            stream.write_all(&answer)?;
            stream.conn.send_close_notify();
            stream.flush()
        });
        (server, pem)
    }

    /// Over this version of TLS, with a certificate that it has not the key of;
    /// and that certificate as PEM.
    pub(crate) fn impostor(version: &'static SupportedProtocolVersion) -> (Self, String) {
        let name = || ["localhost".to_owned()];
        let stolen = rcgen::generate_simple_self_signed(name()).expect("a key");
        let own = rcgen::generate_simple_self_signed(name()).expect("a key");
        let own = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let own = provider
            .key_provider
            .load_private_key(PrivateKeyDer::from(own))
            .expect("a key");
        let shown = CertifiedKey::new(vec![stolen.cert.der().clone()], own);
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])
            .expect("a TLS version")
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(shown)));
        let config = Arc::new(config);
        let server = Self::start(move |stream, report| {
            let session = ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            let mut stream = StreamOwned::new(session, stream);
            report(read_request(&mut BufReader::new(&mut stream))?);
            Ok(())
        });
        (server, stolen.cert.pem())
    }

    fn start<F>(serve: F) -> Self
    where
        F: Fn(TcpStream, &dyn Fn(String)) -> io::Result<()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (sender, requests) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let limits = stream
                    .set_read_timeout(Some(PATIENCE))
                    .and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
                // A client that gives up half-way is what some tests are about.
                let _ = limits.and_then(|()| {
                    serve(stream, &|request| {
                        let _ = sender.send(request);
                    })
                });
            }
        });
        Self { address, requests }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn https_url(&self, host: &str, path: &str) -> String {
        format!("https://{host}:{}{path}", self.address.port())
    }

    /// What came next.
    pub(crate) fn next(&self) -> String {
        self.requests.recv_timeout(PATIENCE).expect("a request")
    }

    pub(crate) fn nothing_came(&self) -> bool {
        self.requests.try_recv().is_err()
    }
}

fn read_request(from: &mut impl BufRead) -> io::Result<String> {
    let mut request = String::new();
    let mut length = 0;
    loop {
        let start = request.len();
        from.read_line(&mut request)?;
        let line = request[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    request.push_str(&String::from_utf8_lossy(&body));
    Ok(request)
}

pub(crate) fn ok(body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) fn status(line: &str) -> String {
    format!("HTTP/1.1 {line}\r\nContent-Length: 4\r\nX-Test: yes\r\n\r\nbody")
}
