//! Service Fabric's endpoint, which is known by its certificate's thumbprint,
//! on this machine.

mod common;
mod support;

use std::io::Read;
use std::net::TcpListener;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::thread;
use std::time::Duration;

use common::*;
use redis_authx::{ErrorKind, IdentityProvider, ProviderError, Token};
use redis_authx_entraid::{EntraIdentity, ManagedIdentity};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::{TLS12, TLS13};
use support::{Server, ok, status};

fn thumbprint(pem: &str) -> String {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate");
    let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der);
    sha1.as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect()
}

fn identity(url: String, thumbprint: String) -> EntraIdentity {
    let identity = ManagedIdentity::system_assigned().environment(move |name| match name {
        "IDENTITY_ENDPOINT" => Some(url.clone()),
        "IDENTITY_HEADER" => Some(SECRET.into()),
        "IDENTITY_SERVER_THUMBPRINT" => Some(thumbprint.clone()),
        _ => None,
    });
    identity.build().expect("a good configuration")
}

fn answered(answer: impl Into<Vec<u8>>) -> (Result<Token, ProviderError>, String) {
    let (server, pem) = Server::tls(answer);
    // The certificate is for `localhost`: its name does not count.
    let url = server.https_url("127.0.0.1", "/a/token");
    (request(&identity(url, thumbprint(&pem))), server.next())
}

fn reply() -> String {
    let end = std::time::SystemTime::now() + Duration::from_secs(600);
    let end = end
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs();
    format!(
        r#"{{"access_token":"{}","token_type":"Bearer","expires_on":{end}}}"#,
        access_token(3600)
    )
}

#[test]
fn the_server_with_the_certificate_is_asked() {
    let (token, request) = answered(ok(&reply()));
    assert_eq!(token.expect("a token").username(), OID);
    let (line, headers) = request.split_once("\r\n").expect("a request");
    assert_eq!(
        line,
        "GET /a/token?api-version=2019-07-01-preview&resource=https%3A%2F%2Fredis.azure.com HTTP/1.1"
    );
    let headers = headers.to_ascii_lowercase();
    for header in [
        "host: 127.0.0.1:",
        "connection: close\r\n",
        "accept: application/json\r\n",
    ] {
        assert!(headers.contains(header), "{header} in {headers}");
    }
    assert!(
        request.contains(&format!("\r\nSecret: {SECRET}\r\n")),
        "{request}"
    );
}

#[test]
fn answers_in_all_framings_and_statuses() {
    let body = reply();
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    assert!(answered(chunked).0.is_ok());
    assert!(answered(format!("HTTP/1.1 200 OK\r\n\r\n{body}")).0.is_ok());

    for (answer, kind) in [
        (status("503 Busy"), ErrorKind::Unavailable),
        (status("404 Not Found"), ErrorKind::Misconfigured),
        (
            "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".into(),
            ErrorKind::InvalidResponse,
        ),
        (
            format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
                body.len() + 1
            ),
            ErrorKind::Other,
        ),
        ("hunter2".into(), ErrorKind::Other),
        (ok(&"x".repeat(2 << 20)), ErrorKind::InvalidResponse),
    ] {
        let error = answered(answer.clone()).0.expect_err("no token");
        assert_eq!(error.kind(), kind, "{:.80}", answer);
        assert!(!everything(&error).contains("hunter2"));
    }
}

#[test]
fn a_server_with_another_certificate_is_told_nothing() {
    let (server, pem) = Server::tls(ok(&reply()));
    let mut other = thumbprint(&pem);
    let last = if other.ends_with('0') { "1" } else { "0" };
    other.replace_range(39.., last);
    let identity = identity(server.https_url("localhost", "/"), other);
    let error = request(&identity).expect_err("the wrong server");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        everything(&error).contains("thumbprint"),
        "{}",
        everything(&error)
    );
    assert!(server.nothing_came());
}

#[test]
fn the_certificate_without_its_key_is_worth_nothing() {
    for version in [&TLS12, &TLS13] {
        let (server, pem) = Server::impostor(version);
        let identity = identity(server.https_url("localhost", "/"), thumbprint(&pem));
        let error = request(&identity).expect_err("an impostor");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(
            everything(&error).contains("TLS handshake failed"),
            "{}",
            everything(&error)
        );
        assert!(server.nothing_came());
    }
}

#[test]
fn a_dropped_request_hangs_up() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    let identity = identity(format!("https://127.0.0.1:{port}/"), "00".repeat(20));
    let (came, is_there) = channel();
    let (ended, has_ended) = channel();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        stream.read_exact(&mut [0; 5]).expect("the greeting begins");
        came.send(()).expect("the test goes on");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
        ended.send(()).expect("the test goes on");
    });
    let time = clock();
    let wanted = time.request();
    let mut request = identity.request_token(&wanted);
    while is_there.try_recv().is_err() {
        let polled = request
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        thread::yield_now();
    }
    drop(request);
    has_ended
        .recv_timeout(Duration::from_secs(8))
        .expect("it hangs up before its time limit");
}
