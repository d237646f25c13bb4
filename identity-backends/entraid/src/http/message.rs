//! Responses of HTTP/1.1 (RFC 9112), for a connection that ends with its first.

use zeroize::Zeroizing;

use super::HttpResponse;

/// More headers than any identity endpoint sends.
const MAX_HEADERS: usize = 64;

/// The response at the beginning of `bytes`; `None` while it is not complete.
/// `ended` says that nothing more will come, cleanly.
pub(super) fn parse(mut bytes: &[u8], ended: bool) -> Result<Option<HttpResponse>, &'static str> {
    loop {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let length = match head.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if !ended => return Ok(None),
            _ => return Err("what came is no HTTP/1.1 response"),
        };
        bytes = &bytes[length..];
        // Interim responses may come before the one that counts.
        let status = match head.code {
            Some(100..=199) => continue,
            Some(status) => status,
            None => return Err("a response without status"),
        };
        let mut response = HttpResponse::new(status);
        for header in head.headers.iter() {
            if let Ok(value) = std::str::from_utf8(header.value) {
                response = response.with_header(header.name, value);
            }
        }
        let body = body(&response, bytes, ended)?;
        return Ok(body.map(|mut body| response.with_body(std::mem::take(&mut *body))));
    }
}

/// RFC 9112 §6.3.
fn body(
    head: &HttpResponse,
    bytes: &[u8],
    ended: bool,
) -> Result<Option<Zeroizing<Vec<u8>>>, &'static str> {
    let whole = |length| Ok(Some(Zeroizing::new(bytes[..length].to_vec())));
    if matches!(head.status(), 204 | 304) {
        return whole(0);
    }
    if let Some(coding) = head.header("transfer-encoding") {
        if !coding.trim().eq_ignore_ascii_case("chunked") {
            return Err("a transfer coding other than `chunked`");
        }
        return match chunks(bytes)? {
            None if ended => Err("the response ends in the middle"),
            body => Ok(body),
        };
    }
    let Some(length) = head.header("content-length") else {
        return if ended { whole(bytes.len()) } else { Ok(None) };
    };
    match length.trim().parse() {
        Ok(length) if length <= bytes.len() => whole(length),
        Ok(_) if !ended => Ok(None),
        Ok(_) => Err("the response ends in the middle"),
        Err(_) => Err("a `Content-Length` that is no number"),
    }
}

/// RFC 9112 §7.1; the trailer is not needed and not waited for.
fn chunks(mut bytes: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, &'static str> {
    let mut body = Zeroizing::new(Vec::with_capacity(bytes.len()));
    loop {
        let (head, size) = match httparse::parse_chunk_size(bytes) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err("a malformed chunk"),
        };
        if size == 0 {
            return Ok(Some(body));
        }
        let rest = &bytes[head..];
        let Ok(size) = usize::try_from(size) else {
            return Err("a malformed chunk");
        };
        // Two more bytes for the line break behind it.
        match rest.len().checked_sub(size) {
            None | Some(0 | 1) => return Ok(None),
            Some(_) if !rest[size..].starts_with(b"\r\n") => return Err("a malformed chunk"),
            Some(_) => {}
        }
        body.extend_from_slice(&rest[..size]);
        bytes = &rest[size + 2..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fed byte by byte: the response that comes out, and how many it took.
    fn fed(bytes: &[u8]) -> (Result<HttpResponse, &'static str>, usize) {
        for length in 0..=bytes.len() {
            match parse(&bytes[..length], false) {
                Ok(None) => {}
                Ok(Some(response)) => return (Ok(response), length),
                Err(error) => return (Err(error), length),
            }
        }
        let end = parse(bytes, true).and_then(|response| response.ok_or("never complete"));
        (end, bytes.len())
    }

    fn body(bytes: &str) -> String {
        let (response, _) = fed(bytes.as_bytes());
        let response = response.expect("a response");
        assert_eq!(response.status(), 200);
        String::from_utf8(response.body().to_vec()).expect("a text")
    }

    #[test]
    fn a_body_by_length_by_chunks_or_to_the_end() {
        assert_eq!(
            body("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcde"),
            "abc"
        );
        assert_eq!(body("HTTP/1.1 200 OK\r\n\r\nabcde"), "abcde");
        assert_eq!(
            body(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\n\r\n"
            ),
            "abcde"
        );
        assert_eq!(
            body("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\nabc"),
            "abc"
        );
    }

    #[test]
    fn it_is_complete_as_soon_as_it_is_known_to_be() {
        let (response, taken) = fed(b"HTTP/1.1 401 No\r\nX-A: b\r\nContent-Length: 0\r\n\r\nmore");
        assert_eq!(response.expect("a response").header("x-a"), Some("b"));
        assert_eq!(
            taken,
            "HTTP/1.1 401 No\r\nX-A: b\r\nContent-Length: 0\r\n\r\n".len()
        );
        let (response, _) = fed(b"HTTP/1.1 204 No Content\r\n\r\n");
        assert!(response.expect("a response").body().is_empty());
    }

    #[test]
    fn what_is_cut_or_malformed_is_an_error() {
        for bytes in [
            "",
            "HTTP/1.1 200",
            "SSH-2.0-x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\nab",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
        ] {
            assert!(fed(bytes.as_bytes()).0.is_err(), "{bytes}");
        }
        let many = format!(
            "HTTP/1.1 200 OK\r\n{}\r\n",
            "A: b\r\n".repeat(MAX_HEADERS + 1)
        );
        assert!(fed(many.as_bytes()).0.is_err());
    }
}
