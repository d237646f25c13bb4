//! Sign-ins of people in a real browser: headless Chromium, which `tests/run`
//! installs.

#![allow(clippy::unwrap_used)]

mod webdriver;

use std::future::Future;
use std::pin::pin;

use futures::future::{Either, select};
use redis_authx::{IdentityProvider, TokenRequest};
use redis_authx_emulator::Emulator;
use redis_authx_entraid::{LoopbackSignIn, SignInError};
use redis_authx_suites::{Bed, Load, PATIENCE};
use redis_authx_tokio::Tokio;
use tokio::task::spawn_blocking;
use webdriver::Browser;

const SIGN_IN: &str = "button[value=sign-in]";
const CANCEL: &str = "button[value=cancel]";

/// Waits for the end of a sign-in while someone uses the browser.
async fn while_person<T>(
    finish: impl Future<Output = T>,
    person: impl FnOnce(&Browser) + Send + 'static,
) -> T {
    let person = spawn_blocking(move || person(&Browser::start()));
    let mut finish = pin!(finish);
    // A person who fails is not waited for.
    let (first, finished) = match select(person, finish.as_mut()).await {
        Either::Left((seen, finish)) => {
            seen.unwrap();
            (None, finish.await)
        }
        Either::Right((finished, person)) => (Some(person), finished),
    };
    if let Some(person) = first {
        person.await.unwrap();
    }
    finished
}

fn listen(emulator: &Emulator) -> LoopbackSignIn {
    emulator.authorization_code().unwrap().listen().unwrap()
}

/// The whole way: the page, the redirect, a token in use on a connection, and
/// two more by refresh token under load.
#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_and_is_not_needed_again() {
    // The first token is some seconds old when the browser has ended.
    let bed = Bed::builder()
        .calm()
        .start_as(async |emulator: &Emulator| {
            // So that one that is not kept shows.
            emulator.sign_ins().single_use_refresh_tokens(true);
            let mut sign_in = listen(emulator);
            let url = sign_in.url().to_owned();
            let signed_in = while_person(sign_in.finish(&Tokio), move |browser| {
                browser.open(&url);
                assert_eq!(browser.title(), "Sign in");
                // A page that is sent empty is shown again, and says why.
                browser.press(SIGN_IN);
                browser.until_it_says("Enter a user name");
                browser.write("#username", "grace <b>@contoso.example");
                browser.press(SIGN_IN);
                browser.until("You have signed in");
            });
            signed_in.await.unwrap()
        })
        .await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.rotate(2).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;

    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert!(seen.acknowledged > 0);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.sign_ins().signed_in(), 1);
    assert!(bed.emulator.sign_ins().refreshed() >= 2);
    assert_eq!(bed.emulator.identity().failed_requests(), 0);
    println!(
        "1 sign-in, {} rotations by refresh token, {} commands, 0 failed",
        bed.emulator.sign_ins().refreshed(),
        seen.acknowledged
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cancels_ends_the_sign_in() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut sign_in = listen(&emulator);
    let url = sign_in.url().to_owned();
    let finished = while_person(sign_in.finish(&Tokio), move |browser| {
        browser.open(&url);
        browser.press(CANCEL);
        browser.until("The sign-in did not succeed");
    });
    let error = finished.await.unwrap_err();
    assert!(matches!(error, SignInError::Cancelled), "{error}");
    assert_eq!(
        error.to_string(),
        "the sign-in was cancelled by the person it was for"
    );
    assert_eq!(emulator.identity().token_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_state_ends_the_sign_in() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut sign_in = listen(&emulator);
    let url = sign_in.url().to_owned();
    let finished = while_person(sign_in.finish(&Tokio), move |browser| {
        let (_, after) = url.split_once("localhost%3A").unwrap();
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        browser.open(&format!(
            "http://localhost:{port}/?code=stolen&state=forged"
        ));
        assert_eq!(browser.title(), "The sign-in did not succeed");
        assert!(!browser.text().contains("stolen"));
    });
    let error = finished.await.unwrap_err();
    assert!(matches!(error, SignInError::ForeignState), "{error}");
    assert!(error.to_string().contains("`state`"));
    assert_eq!(emulator.identity().token_requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_enters_the_code_of_a_device() {
    let emulator = Emulator::builder().start().await.unwrap();
    let sign_in = emulator.device_code().unwrap().begin().await.unwrap();
    let (page, code) = (
        sign_in.verification_uri().to_owned(),
        sign_in.user_code().to_owned(),
    );
    let finished = while_person(sign_in.finish(&Tokio), move |browser| {
        browser.open(&page);
        browser.write("#code", &code);
        browser.write("#username", "grace@contoso.example");
        browser.press(SIGN_IN);
        browser.until("You have signed in");
    });
    let request = TokenRequest::new(&Tokio, PATIENCE);
    let identity = finished.await.unwrap();
    let token = identity.request_token(&request).await.unwrap();
    assert_eq!(token.username(), emulator.object_id());
}
