//! From the client to the backend: requests are passed on in batches, log-ins are judged and
//! rewritten.

use std::io;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    command::{self, Kind, Login},
    control::RedisControl,
    frame::{Request, Scan, Scanner},
    plan::Refusal,
    registry::Connection,
    session::Attempt,
};

/// How much is read at once.
const READ: usize = 16 << 10;
/// A client that sends this many log-ins or transactions without reading the
/// replies is cut off, since each is remembered.
const MOST_AWAITED: usize = 50_000;

/// Passes requests on until the client ends them, and tells the backend so:
/// replies may still be on their way then.
pub(crate) async fn run(
    mut client: impl AsyncRead + Unpin,
    mut backend: impl AsyncWrite + Unpin,
    connection: &Connection,
    control: &RedisControl,
) -> io::Result<()> {
    let mut upstream = Upstream {
        connection,
        control,
        scanner: Scanner::default(),
        buffer: BytesMut::with_capacity(READ),
        out: BytesMut::new(),
        plain: 0,
        logged_in: control.is_open(),
    };
    loop {
        let go_on = upstream.pass_on(&mut backend).await?;
        if !go_on {
            break;
        }
        upstream.buffer.reserve(READ);
        if client.read_buf(&mut upstream.buffer).await? == 0 {
            break;
        }
    }
    backend.shutdown().await
}

struct Upstream<'a> {
    connection: &'a Connection,
    control: &'a RedisControl,
    scanner: Scanner,
    buffer: BytesMut,
    out: BytesMut,
    /// Requests scanned that the session does not know of yet.
    plain: u64,
    /// Whether a good log-in was passed on: allows larger requests.
    logged_in: bool,
}

impl Upstream<'_> {
    /// Passes on what the buffer holds. `false`: no more shall be read.
    async fn pass_on(&mut self, backend: &mut (impl AsyncWrite + Unpin)) -> io::Result<bool> {
        let mut scanned = 0;
        loop {
            match self.scanner.scan(&self.buffer[scanned..], self.logged_in) {
                Scan::Incomplete => break,
                Scan::Empty { length } => {
                    self.flush(scanned, backend).await?;
                    self.buffer.advance(length);
                    scanned = 0;
                }
                Scan::Malformed(text) => {
                    self.flush(scanned, backend).await?;
                    self.connection.session().farewell = Some(text);
                    return Ok(false);
                }
                Scan::Request(request) => {
                    let name = &self.buffer[scanned..][request.name.clone()];
                    match Kind::of(name) {
                        Kind::Plain => {
                            self.plain += 1;
                            scanned += request.length;
                        }
                        kind @ (Kind::Auth | Kind::Hello) => {
                            self.flush(scanned, backend).await?;
                            self.login(kind, &request, backend).await?;
                            scanned = 0;
                        }
                        kind => {
                            self.announce(kind, request.words, None)?;
                            scanned += request.length;
                        }
                    }
                }
            }
        }
        self.flush(scanned, backend).await?;
        Ok(true)
    }

    /// Sends the first `length` bytes of the buffer.
    async fn flush(
        &mut self,
        length: usize,
        backend: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        if self.plain > 0 {
            self.connection.session().sent_plain(self.plain);
            self.control.counters.commands(self.plain);
            self.plain = 0;
        }
        if length > 0 {
            backend.write_all(&self.buffer[..length]).await?;
            self.buffer.advance(length);
        }
        Ok(())
    }

    /// Tells the session of a request whose reply matters, and of the plain
    /// ones before it.
    fn announce(&mut self, kind: Kind, words: usize, attempt: Option<Attempt>) -> io::Result<()> {
        let mut session = self.connection.session();
        session.sent_plain(self.plain);
        session.sent(kind, words, attempt);
        let awaited = session.awaited();
        drop(session);
        self.control.counters.commands(self.plain + 1);
        self.plain = 0;
        if awaited > MOST_AWAITED {
            return Err(io::Error::other("too many unread replies"));
        }
        Ok(())
    }

    /// Judges the log-in at the buffer's front and sends one to the backend
    /// that it will take or refuse alike.
    async fn login(
        &mut self,
        kind: Kind,
        request: &Request,
        backend: &mut (impl AsyncWrite + Unpin),
    ) -> io::Result<()> {
        let bytes = self.buffer.split_to(request.length);
        let mut words = command::words(&bytes, request);
        let open = self.control.is_open();
        let login = if open {
            Login::None
        } else {
            Login::find(kind, &words)
        };
        let mut refusal = None;
        let attempt = match login {
            // HELLO that only asks for a protocol, or what the backend will
            // word an error for.
            Login::None if open || kind == Kind::Hello => None,
            _ => {
                let in_flight = self.control.counters.login_came();
                let is_behind_replies = self.connection.session().owes_replies();
                let (user, token) = match login {
                    Login::Named(user, token) => (Some(words[user]), words[token]),
                    _ => (None, words.last().copied().unwrap_or_default()),
                };
                let (verdict, how) = self.control.judge(user, token, self.logged_in).await;
                let is_dropped = is_behind_replies && self.control.drops_refusals();
                refusal = verdict.as_ref().err().map(|&why| match is_dropped {
                    true => (why, Refusal::Unanswered),
                    false => (why, how),
                });
                Some(Attempt {
                    verdict,
                    _in_flight: in_flight,
                })
            }
        };
        let good = attempt.is_some() && refusal.is_none();
        self.out.clear();
        match login {
            Login::None => self.out.extend_from_slice(&bytes),
            Login::Named(user, token) => {
                let credentials = self.control.backend.credentials(good);
                words[user] = credentials.0.as_bytes();
                words[token] = credentials.1.as_bytes();
                command::write(&words, &mut self.out);
            }
            Login::PasswordOnly => {
                let (user, password) = self.control.backend.credentials(good);
                command::write(
                    &[b"AUTH", user.as_bytes(), password.as_bytes()],
                    &mut self.out,
                );
            }
        }
        match refusal {
            Some((why, Refusal::Unanswered)) => {
                let counters = &self.control.counters;
                self.connection.session().refused_unanswered(why, counters);
                return Ok(());
            }
            Some((_, Refusal::Error(text))) if self.logged_in => {
                self.out.clear();
                let script = b"return {err=ARGV[1]}";
                command::write(&[b"EVAL", script, b"0", text.as_bytes()], &mut self.out);
            }
            _ => self.logged_in |= good,
        }
        self.announce(kind, request.words, attempt)?;
        backend.write_all(&self.out).await
    }
}
