use redis_authx::ErrorKind;
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_entraid::{EntraIdentity, SignIn, SignInError};
use redis_authx_tokio::Tokio;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::contract::{Flow, identity_contract};
use crate::support::{error, everything, signed_up, token};

/// A person who has signed in, and is away by now.
struct AuthorizationCode;

impl Flow for AuthorizationCode {
    type Identity = EntraIdentity;

    async fn identity(emulator: &Emulator) -> EntraIdentity {
        emulator.authorization_code_identity().await.unwrap()
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        emulator.sign_ins().secrets_given_out()
    }
}

identity_contract!(AuthorizationCode);

fn begin(emulator: &Emulator) -> SignIn {
    let flow = emulator.authorization_code().unwrap();
    flow.redirect_uri("http://localhost").begin().unwrap()
}

#[tokio::test]
async fn the_first_token_is_the_one_of_the_sign_in() {
    let (emulator, identity) = signed_up::<AuthorizationCode>().await;
    let before = emulator.identity().token_requests();
    token(&identity).await;
    assert_eq!(emulator.identity().token_requests(), before);
    token(&identity).await;
    assert_eq!(emulator.identity().token_requests(), before + 1);
    assert_eq!(emulator.sign_ins().refreshed(), 1);
    assert_eq!(emulator.sign_ins().signed_in(), 1);
}

/// With refresh tokens of which each is good for one use, the newest must be
/// the one that is kept, whatever comes between.
#[tokio::test]
async fn the_newest_refresh_token_is_kept() {
    let (emulator, identity) = signed_up::<AuthorizationCode>().await;
    emulator.sign_ins().single_use_refresh_tokens(true);
    token(&identity).await;
    for fault in [
        Fault::ServerError(503),
        Fault::DropConnection,
        Fault::ExpiredToken,
        Fault::MissingOid,
    ] {
        emulator.identity().set_fault(Some(fault));
        error(&identity).await;
        emulator.identity().set_fault(None);
        token(&identity).await;
    }
}

/// They take turns: a service may allow each refresh token to be used once.
#[tokio::test(flavor = "multi_thread")]
async fn many_can_ask_at_once() {
    let (emulator, identity) = signed_up::<AuthorizationCode>().await;
    emulator.sign_ins().single_use_refresh_tokens(true);
    let asked = (0..20).map(|_| token(&identity));
    let tokens = futures::future::join_all(asked).await;
    assert_eq!(tokens.len(), 20);
    assert_eq!(emulator.sign_ins().refreshed(), 19);
}

#[tokio::test]
async fn a_refresh_token_that_is_dead_needs_a_person() {
    for (end, code) in [
        (revoke as fn(&Emulator), 50_173),
        (expire, 700_082),
        (interaction, 50_076),
    ] {
        let (emulator, identity) = signed_up::<AuthorizationCode>().await;
        token(&identity).await;
        end(&emulator);
        let error = error(&identity).await;
        assert_eq!(error.kind(), ErrorKind::Rejected);
        let text = everything(&error);
        assert!(text.contains(&format!("AADSTS{code}")), "{text}");
        assert!(text.contains("a person must sign in again"), "{text}");
    }
}

fn revoke(emulator: &Emulator) {
    emulator.sign_ins().revoke_refresh_tokens();
}

fn expire(emulator: &Emulator) {
    emulator.sign_ins().expire_refresh_tokens();
}

fn interaction(emulator: &Emulator) {
    emulator.sign_ins().require_interaction(true);
}

#[tokio::test]
async fn a_sign_in_that_is_cancelled_or_forged_says_so() {
    let emulator = Emulator::builder().start().await.unwrap();
    let sign_in = begin(&emulator);
    let redirected = emulator.cancel_sign_in(sign_in.url()).await.unwrap();
    let error = sign_in.finish(&redirected).await.unwrap_err();
    assert!(matches!(error, SignInError::Cancelled), "{error}");

    // Someone else's sign-in, which is good in itself.
    let other = emulator.sign_in(begin(&emulator).url()).await.unwrap();
    let error = sign_in.finish(&other).await.unwrap_err();
    assert!(matches!(error, SignInError::ForeignState), "{error}");
    assert_eq!(emulator.identity().token_requests(), 0);

    // And it is still good for its own.
    let redirected = emulator.sign_in(sign_in.url()).await.unwrap();
    token(&sign_in.finish(&redirected).await.unwrap()).await;
}

#[tokio::test]
async fn a_code_of_another_sign_in_is_refused_by_the_service() {
    let emulator = Emulator::builder().start().await.unwrap();
    let (mine, other) = (begin(&emulator), begin(&emulator));
    let state = |url: &str| url.split("state=").nth(1).unwrap().to_owned();
    let redirected = emulator.sign_in(other.url()).await.unwrap();
    let own = emulator.sign_in(mine.url()).await.unwrap();
    let injected = redirected.replace(&state(&redirected), &state(&own));
    let SignInError::Provider(error) = mine.finish(&injected).await.unwrap_err() else {
        panic!("the service refuses");
    };
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(everything(&error).contains("AADSTS501481"));
}

#[tokio::test]
async fn a_code_is_good_for_one_redemption_and_a_fault_does_not_cost_it() {
    let emulator = Emulator::builder().start().await.unwrap();
    let sign_in = begin(&emulator);
    let redirected = emulator.sign_in(sign_in.url()).await.unwrap();
    emulator.identity().fail_next(1, Fault::ServerError(503));
    let SignInError::Provider(error) = sign_in.finish(&redirected).await.unwrap_err() else {
        panic!("the service refuses");
    };
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    token(&sign_in.finish(&redirected).await.unwrap()).await;
    let SignInError::Provider(error) = sign_in.finish(&redirected).await.unwrap_err() else {
        panic!("the service refuses");
    };
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(everything(&error).contains("AADSTS54005"));
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_registered_never_comes_back() {
    let emulator = Emulator::builder().start().await.unwrap();
    let flow = emulator.authorization_code().unwrap();
    let sign_in = flow.redirect_uri("http://localhost/other").begin().unwrap();
    assert!(emulator.sign_in(sign_in.url()).await.is_err());
}

#[tokio::test]
async fn a_web_application_signs_in_with_its_secret() {
    let uri = "https://app.example.com/signed-in";
    let emulator = Emulator::builder()
        .web_redirect_uri(uri)
        .start()
        .await
        .unwrap();
    let flow = emulator.authorization_code().unwrap().redirect_uri(uri);
    let sign_in = flow.clone().begin().unwrap();
    let redirected = emulator.sign_in(sign_in.url()).await.unwrap();
    let SignInError::Provider(error) = sign_in.finish(&redirected).await.unwrap_err() else {
        panic!("the service refuses");
    };
    assert_eq!(error.kind(), ErrorKind::Misconfigured);

    let flow = flow.client_secret(emulator.client_secret());
    let sign_in = flow.begin().unwrap();
    let redirected = emulator.sign_in(sign_in.url()).await.unwrap();
    let identity = sign_in.finish(&redirected).await.unwrap();
    token(&identity).await;
    token(&identity).await;
    assert!(!format!("{flow:?}{sign_in:?}{identity:?}").contains(emulator.client_secret()));
}

/// A browser's other requests, and clients that are slow or talk nonsense,
/// come before the redirect, and cost it nothing.
#[tokio::test]
async fn the_listener_takes_the_redirect_and_nothing_else() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut sign_in = emulator.authorization_code().unwrap().listen().unwrap();
    let redirected = emulator.sign_in(sign_in.url()).await.unwrap();
    let address = redirected.strip_prefix("http://").unwrap();
    let (host, target) = address.split_once('?').unwrap();
    let port = host.trim_end_matches('/').rsplit(':').next().unwrap();
    let address = format!("127.0.0.1:{port}");
    let browser = async {
        let mut idle = Vec::new();
        for _ in 0..20 {
            let mut slow = TcpStream::connect(&address).await.unwrap();
            slow.write_all(b"GET /?code=").await.unwrap();
            idle.push(slow);
        }
        for (request, status) in [
            ("GET /favicon.ico HTTP/1.1\r\n\r\n".to_owned(), "404"),
            ("GET / HTTP/1.1\r\n\r\n".to_owned(), "404"),
            (format!("POST /?{target} HTTP/1.1\r\n\r\n"), "405"),
            ("nonsense\r\n\r\n".to_owned(), "400"),
            (format!("GET /?{} ", "x".repeat((64 << 10) - 7)), "431"),
            (format!("GET /?{target} HTTP/1.1\r\n\r\n"), "200"),
        ] {
            let answer = ask(&address, &request).await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{answer}"
            );
            assert!(answer.contains("Content-Security-Policy"));
            assert!(!answer.contains("code="), "{answer}");
        }
    };
    let (identity, ()) = tokio::join!(sign_in.finish(&Tokio), browser);
    token(&identity.unwrap()).await;
    drop(sign_in);
    assert!(
        TcpStream::connect(&address).await.is_err(),
        "the port is closed"
    );
}

async fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A reset may follow an answer to a request that was not read to its end.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}
