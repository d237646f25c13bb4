//! What a failure costs: neither the code nor the refresh token without need.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::pin::Pin;
use std::task::{Context, Waker};

use futures::executor::block_on;
use redis_authx::testing::ManualClock;
use redis_authx::{ErrorKind, IdentityProvider};
use redis_authx_entraid::{EntraIdentity, HttpResponse, LoopbackSignIn, SignInError};

use crate::answers::*;
use crate::common::*;

/// A reply whose access token is this.
fn bringing(access_token: &str, nonce: &str, refresh_token: &str) -> HttpResponse {
    let id_token = jwt(&format!(r#"{{"nonce":"{nonce}"}}"#));
    HttpResponse::new(200).with_body(format!(
        r#"{{"access_token":"{access_token}","id_token":"{id_token}","refresh_token":"{refresh_token}"}}"#
    ))
}

fn refresh_tokens(http: &Answers) -> Vec<String> {
    let asked = http.asked().into_iter();
    asked
        .filter_map(|mut form| form.remove("refresh_token"))
        .collect()
}

#[test]
fn a_first_token_that_can_not_be_used_is_asked_for_again() {
    let nobody = jwt(r#"{"exp":4102444800}"#);
    for (token, kind) in [
        (access_token(-10), ErrorKind::Expired),
        (nobody, ErrorKind::InvalidResponse),
        (String::new(), ErrorKind::InvalidResponse),
    ] {
        let (sign_in, http, redirect) = begun(|nonce, http| {
            http.then(bringing(&token, nonce, "refresh-1"))
                .then(bringing(&token, "", "refresh-2"))
                .then(reply("", "refresh-3"))
        });
        let identity = block_on(sign_in.finish(&redirect)).expect("an identity");
        let error = request(&identity).expect_err("it is no better");
        assert_eq!(error.kind(), kind);
        request(&identity).expect("a token");
        assert_eq!(refresh_tokens(&http), ["refresh-1", "refresh-2"]);
    }
}

/// Polls a request once, and drops it.
fn drop_a_request(identity: &EntraIdentity) {
    let time = clock();
    let wanted = time.request();
    let mut asking: Pin<Box<_>> = Box::pin(identity.request_token(&wanted));
    let mut context = Context::from_waker(Waker::noop());
    assert!(asking.as_mut().poll(&mut context).is_pending());
}

#[test]
fn the_refresh_token_of_a_late_answer_is_kept() {
    let (sign_in, http, redirect) = begun(|nonce, http| {
        http.then(reply(nonce, "refresh-1"))
            .then_late(reply("", "refresh-2"))
            .then(reply("", "refresh-3"))
            .then_hangs()
            .then(reply("", "refresh-4"))
            .then(reply("", "refresh-5"))
    });
    let identity = block_on(sign_in.finish(&redirect)).expect("an identity");
    request(&identity).expect("the first token");
    drop_a_request(&identity);
    http.late();
    request(&identity).expect("a token");
    assert_eq!(refresh_tokens(&http), ["refresh-1", "refresh-2"]);

    // One that never comes holds nothing up.
    drop_a_request(&identity);
    request(&identity).expect("a token");
    request(&identity).expect("a token");
    assert_eq!(
        refresh_tokens(&http)[2..],
        ["refresh-3", "refresh-3", "refresh-4"]
    );
}

/// What a browser does with a redirect that brings this code.
fn redirected(url: &str, code: &str) -> TcpStream {
    let asked = query(url);
    let address = asked["redirect_uri"].trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the port is open");
    let target = format!("/?code={code}&state={}", asked["state"]);
    write!(stream, "GET {target} HTTP/1.1\r\n\r\n").expect("it is read");
    stream
}

/// Waits for the redirect, which has been sent.
fn finish(mut sign_in: LoopbackSignIn) -> (LoopbackSignIn, Result<EntraIdentity, SignInError>) {
    let clock = ManualClock::new();
    let time = clock.clone();
    clock.run(async {}).block_on(async move {
        let ended = sign_in.finish(&time).await;
        (sign_in, ended)
    })
}

#[test]
fn the_listener_tries_a_code_again_only_where_that_can_help() {
    let http = Answers::default();
    let flow = flow().redirect_uri("http://127.0.0.1");
    let sign_in = flow.http_client(http.clone()).listen().expect("a port");
    let url = sign_in.url().to_owned();
    let nonce = query(&url)["nonce"].clone();
    http.clone()
        .then(HttpResponse::new(503))
        .then(refused("invalid_grant", 54_005))
        .then(reply(&nonce, "refresh-1"));
    let kind = |result| match result {
        Err(SignInError::Provider(error)) => error.kind(),
        other => panic!("{other:?}"),
    };

    let mut browser = redirected(&url, "code-1");
    let (sign_in, ended) = finish(sign_in);
    assert_eq!(kind(ended), ErrorKind::Unavailable);
    let mut page = String::new();
    let _ = browser.read_to_string(&mut page);
    assert!(page.starts_with("HTTP/1.1 200 "), "{page}");
    let (sign_in, ended) = finish(sign_in);
    assert_eq!(kind(ended), ErrorKind::Rejected);

    let _browser = redirected(&url, "code-2");
    finish(sign_in).1.expect("an identity");
    let codes: Vec<_> = http
        .asked()
        .into_iter()
        .map(|mut form| form.remove("code"))
        .collect();
    assert_eq!(
        codes,
        ["code-1", "code-1", "code-2"].map(|code| Some(code.to_owned()))
    );
}
