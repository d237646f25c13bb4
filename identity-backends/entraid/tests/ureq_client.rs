//! The default HTTP client against a server on this machine.

mod common;
mod support;

use std::net::TcpListener;
use std::time::Duration;

use common::*;
use futures::executor::block_on;
use futures::future::{Either, select};
use redis_authx::ErrorKind;
use redis_authx_entraid::{
    Authority, HttpClient, HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse,
    MAX_RESPONSE_BODY, UreqClient,
};
use support::{Server, ok, status};

fn post(url: impl Into<String>) -> HttpRequest {
    HttpRequest::new(HttpMethod::Post, url)
        .with_header("content-type", "text/plain")
        .with_body("hello")
}

fn send(client: &UreqClient, request: HttpRequest) -> Result<HttpResponse, HttpError> {
    block_on(client.send(request))
}

#[test]
fn a_request_and_its_answer() {
    let server = Server::plain(ok("answer"));
    let answer = send(&UreqClient::new(), post(server.url("/a/b?c=d"))).expect("an answer");
    assert_eq!((answer.status(), answer.body()), (200, &b"answer"[..]));
    assert_eq!(answer.header("CONTENT-length"), Some("6"));

    let request = server.next().to_ascii_lowercase();
    assert!(
        request.starts_with("post /a/b?c=d http/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains("content-type: text/plain\r\n"),
        "{request}"
    );
    assert!(request.contains("content-length: 5\r\n"), "{request}");
    assert!(
        request.contains("user-agent: redis-authx-entraid/"),
        "{request}"
    );
    assert!(request.ends_with("\r\n\r\nhello"), "{request}");

    let get = HttpRequest::new(HttpMethod::Get, server.url("/"));
    assert_eq!(
        send(&UreqClient::new(), get).expect("an answer").status(),
        200
    );
    assert!(server.next().starts_with("GET / HTTP/1.1\r\n"));
}

#[test]
fn any_status_is_an_answer_and_redirects_are_not_followed() {
    let elsewhere = Server::plain(ok(""));
    let redirect = |code| {
        let target = elsewhere.url("/");
        format!("HTTP/1.1 {code} Moved\r\nLocation: {target}\r\nContent-Length: 4\r\n\r\nbody")
    };
    let answers = [400, 401, 404, 429, 500, 503, 599]
        .map(|code| (code, status(&format!("{code} Reason"))))
        .into_iter()
        .chain([301, 302, 303, 307, 308].map(|code| (code, redirect(code))));
    for (code, answer) in answers {
        let server = Server::plain(answer);
        let answer = send(&UreqClient::new(), post(server.url("/"))).expect("an answer");
        assert_eq!((answer.status(), answer.body()), (code, &b"body"[..]));
    }
    assert!(elsewhere.nothing_came());
}

#[test]
fn chunked_and_unmeasured_bodies() {
    let chunked =
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    for answer in [chunked, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabcde"] {
        let server = Server::plain(answer);
        let answer = send(&UreqClient::new(), post(server.url("/"))).expect("an answer");
        assert_eq!(answer.body(), b"abcde");
    }
}

#[test]
fn a_body_is_bounded() {
    let fits = Server::plain(ok(&"x".repeat(MAX_RESPONSE_BODY)));
    let answer = send(&UreqClient::new(), post(fits.url("/"))).expect("an answer");
    assert_eq!(answer.body().len(), MAX_RESPONSE_BODY);

    let long = "x".repeat(MAX_RESPONSE_BODY + 1);
    let unmeasured = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{long}");
    let headers = format!("HTTP/1.1 200 OK\r\nX: {long}\r\nContent-Length: 0\r\n\r\n");
    for answer in [ok(&long), unmeasured, headers] {
        let server = Server::plain(answer);
        let error = send(&UreqClient::new(), post(server.url("/"))).expect_err("too long");
        assert_eq!(
            error.kind(),
            HttpErrorKind::TooLarge,
            "{}",
            everything(&error)
        );
    }
}

#[test]
fn a_server_that_does_not_answer() {
    let server = Server::silent();
    let client = UreqClient::builder()
        .timeout(Duration::from_millis(200))
        .build()
        .expect("a good configuration");
    let error = send(&client, post(server.url("/"))).expect_err("no answer");
    assert_eq!(
        error.kind(),
        HttpErrorKind::Timeout,
        "{}",
        everything(&error)
    );
}

#[test]
fn a_dropped_request_hangs_up() {
    let server = Server::silent();
    let client = UreqClient::builder()
        .timeout(Duration::from_secs(600))
        .build()
        .expect("a good configuration");
    let sending = client.send(post(server.url("/")));
    let arrived = std::future::poll_fn(|cx| {
        if server.nothing_came() {
            std::thread::sleep(Duration::from_millis(1));
            cx.waker().wake_by_ref();
            return std::task::Poll::Pending;
        }
        std::task::Poll::Ready(())
    });
    match block_on(select(sending, arrived)) {
        Either::Right(_) => {}
        Either::Left(_) => panic!("nobody answered"),
    }
    // The other future was dropped with `select`'s result.
    assert!(server.next().starts_with("closed after 0"));
}

#[test]
fn nobody_there() {
    let free = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let port = free.local_addr().expect("it is bound").port();
    drop(free);
    let url = format!("http://127.0.0.1:{port}/");
    let error = send(&UreqClient::new(), post(url)).expect_err("no answer");
    assert_eq!(
        error.kind(),
        HttpErrorKind::Connect,
        "{}",
        everything(&error)
    );

    // Where the resolver itself does not answer, it is a time-out.
    let error = send(&UreqClient::new(), post("http://host.invalid/")).expect_err("no such host");
    let kinds = [HttpErrorKind::Connect, HttpErrorKind::Timeout];
    assert!(kinds.contains(&error.kind()), "{}", everything(&error));
}

#[test]
fn broken_answers_are_errors() {
    for answer in [
        "",
        "HTTP/1.1 2",
        "SSH-2.0-OpenSSH\r\n\r\n",
        "\0\0\0\0",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
    ] {
        let server = Server::plain(answer);
        assert!(
            send(&UreqClient::new(), post(server.url("/"))).is_err(),
            "{answer:?}"
        );
    }
    let bad_header = post("http://127.0.0.1:1/").with_header("a b", "hunter2\r\n");
    let error = send(&UreqClient::new(), bad_header).expect_err("no such header");
    assert!(!everything(&error).contains("hunter2"));
}

#[test]
fn tls_with_an_authority_of_ones_own() {
    let (server, pem) = Server::tls(ok("answer"));
    let trusting = UreqClient::builder()
        .root_certificate_pem(pem)
        .build()
        .expect("a good certificate");

    let answer = send(&trusting, post(server.https_url("localhost", "/"))).expect("an answer");
    assert_eq!(answer.body(), b"answer");

    let error = send(&UreqClient::new(), post(server.https_url("localhost", "/")))
        .expect_err("not trusted");
    assert_eq!(error.kind(), HttpErrorKind::Tls);
    assert!(
        everything(&error).contains("root_certificate_pem"),
        "{}",
        everything(&error)
    );

    let error =
        send(&trusting, post(server.https_url("127.0.0.1", "/"))).expect_err("another name");
    assert_eq!(error.kind(), HttpErrorKind::Tls);
    assert!(
        everything(&error).contains("another host name"),
        "{}",
        everything(&error)
    );
}

#[test]
fn from_the_identity_to_a_token_over_tls() {
    let access_token = access_token(600);
    let body = format!(r#"{{"access_token":"{access_token}","expires_in":600}}"#);
    let (server, pem) = Server::tls(ok(&body));
    let client = UreqClient::builder().root_certificate_pem(pem).build();
    let identity = builder()
        .authority(Authority::custom(server.https_url("localhost", "/tenant")))
        .http_client(client.expect("a good certificate"))
        .build()
        .expect("a good configuration");
    let token = request(&identity).expect("a token");
    assert_eq!((token.username(), token.password()), (OID, &*access_token));
    assert!(
        server
            .next()
            .starts_with("POST /tenant/oauth2/v2.0/token HTTP/1.1\r\n")
    );

    let distrusting = builder()
        .authority(Authority::custom(server.https_url("localhost", "/tenant")))
        .build()
        .expect("a good configuration");
    let error = request(&distrusting).expect_err("not trusted");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(everything(&error).contains("not signed by a trusted authority"));
}

#[test]
fn a_request_may_have_a_shorter_time_limit() {
    let server = Server::silent();
    let request = post(server.url("/")).with_time_limit(Duration::from_millis(50));
    let error = send(&UreqClient::new(), request).expect_err("no answer");
    assert_eq!(error.kind(), HttpErrorKind::Timeout);
    assert!(server.next().starts_with("POST / "));

    let client = UreqClient::builder().timeout(Duration::from_millis(50));
    let client = client.build().expect("a good configuration");
    let request = post(server.url("/")).with_time_limit(Duration::MAX);
    let error = send(&client, request).expect_err("no answer");
    assert_eq!(error.kind(), HttpErrorKind::Timeout);
}
