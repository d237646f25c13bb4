use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use zeroize::Zeroizing;

use super::page;
use crate::flow::authorization_code::redirected::is_answer;

/// The longest request, headers and all: a browser sends the cookies of every
/// other server on `localhost` along.
const LONGEST: usize = 64 * 1024;

/// A browser that has connected, and what it has sent so far.
pub(super) struct Connection {
    stream: TcpStream,
    /// Of its full size at once: growing would leave copies of the code behind.
    request: Zeroizing<Vec<u8>>,
    length: usize,
    pub(super) since: Instant,
}

pub(super) enum Progress {
    Over,
    Redirected(Request),
    Waits(Connection),
}

/// A redirect that waits for its page.
pub(in super::super) struct Request {
    stream: TcpStream,
    target: Zeroizing<String>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, now: Instant) -> Self {
        Self {
            stream,
            request: Zeroizing::new(vec![0; LONGEST]),
            length: 0,
            since: now,
        }
    }

    /// Reads what is there. What is no redirect is answered.
    pub(super) fn go_on(mut self, path: &str) -> Progress {
        loop {
            let Some(room) = self
                .request
                .get_mut(self.length..)
                .filter(|r| !r.is_empty())
            else {
                return refuse(self.stream, "431 Request Header Fields Too Large");
            };
            let before = self.length;
            match self.stream.read(room) {
                Ok(0) => return Progress::Over,
                Ok(read) => self.length += read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Progress::Waits(self);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Progress::Over,
            }
            let seen = &self.request[..self.length];
            // To the end of the headers: closing on a half-read request can
            // cost the browser its answer. Only what is new is searched, that
            // a byte at a time costs no more.
            let new = &seen[before.saturating_sub(3)..];
            if new.windows(4).any(|end| end == b"\r\n\r\n") {
                return match target(seen, path) {
                    Ok(target) => Progress::Redirected(Request {
                        stream: self.stream,
                        target,
                    }),
                    Err(status) => refuse(self.stream, status),
                };
            }
        }
    }
}

/// What is asked for, or the status of what it gets (RFC 9112 §3).
fn target(request: &[u8], path: &str) -> Result<Zeroizing<String>, &'static str> {
    const BAD: &str = "400 Bad Request";
    const NOT_FOUND: &str = "404 Not Found";

    let line = request.split(|byte| *byte == b'\r').next();
    let line = line.and_then(|line| std::str::from_utf8(line).ok());
    let mut words = line.ok_or(BAD)?.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(BAD);
    };
    if !version.starts_with("HTTP/1.") {
        return Err(BAD);
    }
    if method != "GET" {
        return Err("405 Method Not Allowed");
    }
    match target.split_once('?') {
        Some((asked, query)) if asked == path && is_answer(query) => {
            Ok(Zeroizing::new(target.to_owned()))
        }
        _ => Err(NOT_FOUND),
    }
}

fn refuse(stream: TcpStream, status: &str) -> Progress {
    send(stream, status, &page::nothing_here());
    Progress::Over
}

/// Sends the page and closes. It fits into the socket's buffer, so that a
/// client that does not read holds nobody up; one that has gone needs no page.
fn send(mut stream: TcpStream, status: &str, page: &str) {
    let answer = format!(
        "HTTP/1.1 {status}\r\n\
         Content-Type: text/html; charset=utf-8\r\n\
         Content-Length: {}\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n\
         Referrer-Policy: no-referrer\r\n\
         X-Content-Type-Options: nosniff\r\n\
         Cache-Control: no-store\r\n\
         Allow: GET\r\n\
         Connection: close\r\n\r\n{page}",
        page.len()
    );
    let _ = stream.write_all(answer.as_bytes());
    let _ = stream.shutdown(Shutdown::Write);
}

impl Request {
    /// Path and query.
    pub(in super::super) fn target(&self) -> &str {
        &self.target
    }

    /// Tells the person how it went, as far as it is known.
    pub(in super::super) fn answer(self, good: bool) {
        if good {
            send(self.stream, "200 OK", &page::signed_in());
        } else {
            send(self.stream, "400 Bad Request", &page::failed());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_redirect_to_the_path_is_taken() {
        for (line, path, answer) in [
            ("GET /?code=a&state=b HTTP/1.1", "/", Ok("/?code=a&state=b")),
            ("GET /x?error=a HTTP/1.0", "/x", Ok("/x?error=a")),
            ("GET / HTTP/1.1", "/", Err("404")),
            ("GET /?state=b HTTP/1.1", "/", Err("404")),
            ("GET /X?code=a HTTP/1.1", "/x", Err("404")),
            ("GET /x/?code=a HTTP/1.1", "/x", Err("404")),
            ("GET /favicon.ico HTTP/1.1", "/", Err("404")),
            ("POST /?code=a HTTP/1.1", "/", Err("405")),
            ("HEAD /?code=a HTTP/1.1", "/", Err("405")),
            ("GET /?code=a", "/", Err("400")),
            ("GET /?code=a b HTTP/1.1", "/", Err("400")),
            ("GET /?code=a HTTP/2", "/", Err("400")),
            ("\u{16}\u{3}\u{1}", "/", Err("400")),
            ("", "/", Err("400")),
        ] {
            let request = format!("{line}\r\nHost: localhost\r\n\r\n");
            let found = target(request.as_bytes(), path);
            let found = found
                .as_deref()
                .map(String::as_str)
                .map_err(|status| &status[..3]);
            assert_eq!(found, answer, "{line}");
        }
        assert!(target(b"GET /?code=\xff HTTP/1.1\r\n\r\n", "/").is_err());
    }
}
