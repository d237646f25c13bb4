//! What is sent for people who sign in, and what is made of the answers.
#![cfg(feature = "interactive")]

mod answers;
#[path = "../common/mod.rs"]
mod common;
mod device_code;
mod retry;

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::Duration;

use answers::*;
use common::*;
use futures::executor::block_on;
use redis_authx::testing::{ManualClock, minutes};
use redis_authx::{ErrorKind, IdentityProvider, Moment};
use redis_authx_entraid::{
    Authority, AuthorizationCode, DeviceCode, HttpResponse, Prompt, SignInError,
};

#[test]
fn the_page_is_asked_for_with_these_parameters_and_no_others() {
    let sign_in = flow()
        .prompt(Prompt::SelectAccount)
        .login_hint("ada@contoso.com")
        .begin()
        .expect("a sign-in");
    let page = "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/authorize?";
    assert!(sign_in.url().starts_with(page));
    let mut asked = query(sign_in.url());
    for (name, length) in [("state", 22), ("nonce", 22), ("code_challenge", 43)] {
        assert_eq!(asked.remove(name).expect(name).len(), length);
    }
    let expected = [
        ("client_id", CLIENT_ID),
        ("response_type", "code"),
        ("response_mode", "query"),
        ("redirect_uri", "http://localhost:3000/redirect"),
        (
            "scope",
            "https://redis.azure.com/.default openid profile offline_access",
        ),
        ("code_challenge_method", "S256"),
        ("prompt", "select_account"),
        ("login_hint", "ada@contoso.com"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(asked, HashMap::from(expected));
}

#[test]
fn the_code_is_redeemed_once_and_then_the_newest_refresh_token_used() {
    let (sign_in, http, redirect) = begun(|nonce, http| {
        http.then(reply(nonce, "refresh-1"))
            .then(reply("", "refresh-2"))
            .then(token_reply(&access_token(3600), 3599))
            .then(reply("", "refresh-3"))
    });
    let identity = block_on(sign_in.finish(&redirect)).expect("an identity");
    let asked = http.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["grant_type"], "authorization_code");
    assert_eq!(asked[0]["client_id"], CLIENT_ID);
    assert_eq!(asked[0]["code"], "code-hunter2");
    assert_eq!(asked[0]["redirect_uri"], "http://localhost:3000/redirect");
    assert_eq!(asked[0]["code_verifier"].len(), 43);
    assert!(!asked[0].contains_key("client_secret"));

    for _ in 0..4 {
        assert_eq!(request(&identity).expect("a token").username(), OID);
    }
    let asked = http.asked();
    // The first token was there already; a reply without a refresh token
    // leaves the one before.
    let used: Vec<_> = asked[1..]
        .iter()
        .map(|form| &*form["refresh_token"])
        .collect();
    assert_eq!(used, ["refresh-1", "refresh-2", "refresh-2"]);
    for form in &asked[1..] {
        assert_eq!(form["grant_type"], "refresh_token");
        assert_eq!(
            form["scope"],
            "https://redis.azure.com/.default openid profile offline_access"
        );
        assert_eq!(form.len(), 4);
    }
}

#[test]
fn the_first_token_ages_until_it_is_requested() {
    for (wait, grants) in [(50, 1), (61, 2)] {
        let (sign_in, http, redirect) = begun(|nonce, http| {
            http.then(reply(nonce, "refresh-1"))
                .then(token_reply(&access_token(2 * 3600), 7200))
        });
        let identity = block_on(sign_in.finish(&redirect)).expect("an identity");
        let time = clock();
        time.step_forward(minutes(wait));
        let token = request_at(&identity, &time).expect("a token");
        let left = token.time_left(Moment::now(&time)).expect("it expires");
        // What is left of the first one's hour, or of the second one's two.
        let expected = minutes(if grants == 1 { 60 } else { 120 } - wait);
        assert!(left <= expected && left + minutes(2) > expected, "{left:?}");
        assert_eq!(http.asked().len(), grants);
    }
}

#[test]
fn the_first_token_is_not_served_after_a_refusal() {
    let (sign_in, http, redirect) = begun(|nonce, http| {
        http.then(reply(nonce, "refresh-1"))
            .then(reply("", "refresh-2"))
    });
    let identity = block_on(sign_in.finish(&redirect)).expect("an identity");
    request_refused(&identity).expect("another token");
    assert_eq!(http.asked()[1]["refresh_token"], "refresh-1");
}

#[test]
fn a_renewal_that_fails_or_is_dropped_costs_nothing() {
    let (sign_in, http, redirect) = begun(|nonce, http| {
        http.then(reply(nonce, "refresh-1"))
            .then(HttpResponse::new(503))
            .then_hangs()
            .then(HttpResponse::new(200).with_body("{"))
            .then(refused("interaction_required", 50_076))
            .then(reply("", "refresh-2"))
    });
    let identity = block_on(sign_in.finish(&redirect)).expect("an identity");
    request(&identity).expect("the first token");
    let failed = |kind| assert_eq!(request(&identity).expect_err("no token").kind(), kind);
    failed(ErrorKind::Unavailable);
    {
        let time = clock();
        let wanted = time.request();
        let mut hung = pin!(identity.request_token(&wanted));
        let mut context = Context::from_waker(std::task::Waker::noop());
        assert!(matches!(hung.as_mut().poll(&mut context), Poll::Pending));
    }
    failed(ErrorKind::InvalidResponse);
    failed(ErrorKind::Rejected);
    request(&identity).expect("a token");
    let asked = http.asked();
    assert_eq!(asked.len(), 6);
    assert!(
        asked[1..]
            .iter()
            .all(|form| form["refresh_token"] == "refresh-1")
    );
}

#[test]
fn tokens_of_another_sign_in_are_thrown_away() {
    let no_id_token = r#"{"access_token":"x","refresh_token":"y","expires_in":9}"#;
    let garbage = r#"{"access_token":"x","refresh_token":"y","id_token":"hunter2"}"#;
    for answer in [
        reply("another", "refresh-1"),
        reply("", "refresh-1"),
        HttpResponse::new(200).with_body(no_id_token),
        HttpResponse::new(200).with_body(garbage),
    ] {
        let (sign_in, _, redirect) = begun(|_, http| http.then(answer));
        let error = block_on(sign_in.finish(&redirect)).expect_err("refused");
        assert!(matches!(error, SignInError::ForeignNonce), "{error}");
        assert!(!everything(&error).contains("hunter2"));
    }
}

#[test]
fn a_sign_in_that_can_not_be_renewed_is_none() {
    let (sign_in, _, redirect) = begun(|nonce, http| http.then(reply(nonce, "")));
    let error = block_on(sign_in.finish(&redirect)).expect_err("no refresh token");
    let SignInError::Provider(provider) = &error else {
        panic!("{error}");
    };
    assert_eq!(provider.kind(), ErrorKind::InvalidResponse);
    assert!(everything(&error).contains("offline_access"));
}

#[test]
fn nothing_shows_a_code_a_verifier_or_a_token() {
    let (sign_in, http, redirect) = begun(|nonce, http| {
        http.then(refused("invalid_grant", 501_481))
            .then(reply(nonce, "refresh-hunter2"))
            .then(refused("invalid_grant", 700_082))
    });
    let flow = flow().client_secret("secret-hunter2");
    let mut shown = format!("{flow:?}{flow:#?}{sign_in:?}{sign_in:#?}");
    let error = block_on(sign_in.finish(&redirect)).expect_err("refused");
    shown += &everything(&error);
    let identity = block_on(sign_in.finish(&redirect)).expect("an identity");
    shown += &format!("{identity:?}{identity:#?}");
    let token = request(&identity).expect("a token");
    shown += &format!("{identity:?}{identity:#?}{token:?}");
    shown += &everything(&request(&identity).expect_err("refused"));
    for forged in ["/redirect?code=code-hunter2&state=hunter2", "code=hunter2"] {
        let error = block_on(sign_in.finish(forged)).expect_err("forged");
        shown += &everything(&error);
    }
    let mut loopback = flow
        .redirect_uri("http://localhost")
        .listen()
        .expect("a port");
    shown += &format!("{loopback:?}{loopback:#?}");
    let waiting = query(loopback.url());
    drop(block_on(futures::future::poll_immediate(
        loopback.finish(&ManualClock::new()),
    )));

    let asked = query(sign_in.url());
    let secrets = [
        "hunter2",
        &asked["state"],
        &asked["nonce"],
        &asked["code_challenge"],
        &http.asked()[0]["code_verifier"],
        &waiting["state"],
        &waiting["nonce"],
        token.password(),
    ];
    for secret in secrets {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn a_setting_that_can_not_work_is_named() {
    let field = |flow: AuthorizationCode| match flow.begin() {
        Err(SignInError::Config(error)) => error.field().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(field(AuthorizationCode::new(CLIENT_ID)), "redirect_uri");
    let other = |uri: &str| field(flow().redirect_uri(uri));
    assert_eq!(other("http://example.com/"), "redirect_uri");
    assert_eq!(field(flow().client_secret(" ")), "client_secret");
    assert_eq!(field(flow().scope("user.read")), "scope");
    assert_eq!(field(flow().username_claim("")), "username_claim");
    assert_eq!(
        field(flow().authority(Authority::tenant(".."))),
        "authority.tenant"
    );
    let blank = AuthorizationCode::new(" ").redirect_uri("http://localhost");
    assert_eq!(field(blank), "client_id");
    assert!(flow().authority(Authority::Default).begin().is_ok());
    assert!(matches!(
        flow().redirect_uri("https://example.com/").listen(),
        Err(SignInError::Config(error)) if error.field() == "redirect_uri"
    ));
    let device = DeviceCode::new(CLIENT_ID).scope("user.read");
    assert!(matches!(
        block_on(device.begin()),
        Err(SignInError::Config(_))
    ));
}

#[test]
fn nobody_signs_in_in_time() {
    let clock = ManualClock::new();
    let flow = flow().redirect_uri("http://127.0.0.1");
    let mut sign_in = flow
        .time_limit(Duration::from_secs(60))
        .listen()
        .expect("a port");
    let url = sign_in.url().to_owned();
    assert!(query(&url)["redirect_uri"].starts_with("http://127.0.0.1:"));
    let begun = redis_authx::Clock::now(&clock);
    let time = clock.clone();
    let mut run = clock.run(async {});
    let error = run.block_on(async move { sign_in.finish(&time).await.expect_err("nobody came") });
    assert!(matches!(error, SignInError::TimedOut), "{error}");
    let waited = redis_authx::Clock::now(&clock) - begun;
    assert_eq!(waited, Duration::from_secs(60));
}

/// The other address of `localhost` is taken too, so that nobody else gets the
/// code there.
#[test]
fn a_port_that_is_taken_is_said_so() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("it is bound").port();
    for host in ["localhost", "127.0.0.1"] {
        let uri = format!("http://{host}:{port}/");
        let error = flow().redirect_uri(uri).listen().expect_err("it is taken");
        assert!(matches!(error, SignInError::Listener(_)), "{error}");
    }
    let Ok(taken) = std::net::TcpListener::bind(("::1", 0)) else {
        return; // no IPv6 here
    };
    let port = taken.local_addr().expect("it is bound").port();
    let uri = format!("http://localhost:{port}/");
    let error = flow().redirect_uri(uri).listen().expect_err("it is taken");
    assert!(matches!(error, SignInError::Listener(_)), "{error}");
}
