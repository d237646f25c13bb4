//! A caller's own `reqwest::Client`.
#![cfg(feature = "reqwest")]

mod common;
mod support;

use common::*;
use redis_authx::IdentityProvider;
use redis_authx_entraid::{
    Authority, HttpClient, HttpErrorKind, HttpMethod, HttpRequest, MAX_RESPONSE_BODY, ReqwestClient,
};
use reqwest::redirect::Policy;
use support::{Server, ok, status};

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(future)
}

fn client() -> ReqwestClient {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(Policy::none());
    ReqwestClient::new(builder.build().expect("a client"))
}

fn post(url: String) -> HttpRequest {
    HttpRequest::new(HttpMethod::Post, url).with_body("hello")
}

#[test]
fn from_the_identity_to_a_token() {
    let access_token = access_token(600);
    let server = Server::plain(ok(&format!(r#"{{"access_token":"{access_token}"}}"#)));
    let identity = builder()
        .authority(Authority::custom(server.url("/tenant")))
        .http_client(client())
        .build()
        .expect("a good configuration");
    let token = run(identity.request_token(&clock().request())).expect("a token");
    assert_eq!((token.username(), token.password()), (OID, &*access_token));
    let request = server.next();
    assert!(request.starts_with("POST /tenant/oauth2/v2.0/token HTTP/1.1\r\n"));
    assert!(request.ends_with("&scope=https%3A%2F%2Fredis.azure.com%2F.default"));
}

#[test]
fn any_status_is_an_answer() {
    let server = Server::plain(status("429 Slow"));
    let answer = run(client().send(post(server.url("/")))).expect("an answer");
    assert_eq!((answer.status(), answer.body()), (429, &b"body"[..]));
    assert_eq!(answer.header("x-test"), Some("yes"));
}

#[test]
fn a_body_is_bounded() {
    let server = Server::plain(ok(&"x".repeat(MAX_RESPONSE_BODY + 1)));
    let error = run(client().send(post(server.url("/")))).expect_err("too long");
    assert_eq!(error.kind(), HttpErrorKind::TooLarge);
}

#[test]
fn an_answer_that_came_by_a_redirect_is_refused() {
    let target = Server::plain(ok("answer"));
    let location = target.url("/");
    let server = Server::plain(format!(
        "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    ));
    let builder = reqwest::Client::builder().no_proxy();
    let following = ReqwestClient::new(builder.build().expect("a client"));
    let error = run(following.send(post(server.url("/")))).expect_err("redirected");
    assert!(everything(&error).contains("Policy::none"));
}
