//! A scripted HTTP client, and tokens made to measure.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis_authx::testing::ManualClock;
use redis_authx::{
    Clock, IdentityProvider, Moment, ProviderError, RequestReason, Token, async_trait,
};
use redis_authx_entraid::{
    Authority, ClientSecret, EntraIdentity, HttpClient, HttpError, HttpRequest, HttpResponse,
};

pub(crate) const CLIENT_ID: &str = "8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11";
pub(crate) const OID: &str = "12345678-9abc-def0-1234-56789abcdef0";
pub(crate) const SECRET: &str = "hunter2~&=+ %secret";

/// Gives the same answer to every request, and keeps the requests.
#[derive(Clone, Debug)]
pub(crate) struct Scripted {
    answer: Result<HttpResponse, HttpError>,
    requests: Arc<Mutex<Vec<HttpRequest>>>,
}

impl Scripted {
    pub(crate) fn new(answer: Result<HttpResponse, HttpError>) -> Self {
        Self {
            answer,
            requests: Arc::default(),
        }
    }

    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.requests.lock().expect("no test panicked").clone()
    }
}

#[async_trait]
impl HttpClient for Scripted {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.requests
            .lock()
            .expect("no test panicked")
            .push(request);
        self.answer.clone()
    }
}

pub(crate) fn builder() -> ClientSecret {
    ClientSecret::new(CLIENT_ID, SECRET).authority(Authority::tenant("contoso.com"))
}

pub(crate) fn identity(http: impl HttpClient) -> EntraIdentity {
    builder()
        .http_client(http)
        .build()
        .expect("a good configuration")
}

/// One token request, answered so.
pub(crate) fn ask(answer: HttpResponse) -> Result<Token, ProviderError> {
    request(&identity(Scripted::new(Ok(answer))))
}

pub(crate) fn request(identity: &EntraIdentity) -> Result<Token, ProviderError> {
    request_at(identity, &clock())
}

pub(crate) fn request_at(
    identity: &EntraIdentity,
    clock: &ManualClock,
) -> Result<Token, ProviderError> {
    futures::executor::block_on(identity.request_token(&clock.request()))
}

/// For a manager whose token a Redis server has refused.
pub(crate) fn request_refused(identity: &EntraIdentity) -> Result<Token, ProviderError> {
    let clock = clock();
    let reason = RequestReason::Refused { generation: 1 };
    let request = clock.request().with_reason(reason);
    futures::executor::block_on(identity.request_token(&request))
}

/// A clock that shows the machine's time and stands still.
pub(crate) fn clock() -> ManualClock {
    let clock = ManualClock::new();
    let behind = SystemTime::now().duration_since(clock.wall());
    clock.step_forward(behind.expect("a machine whose clock is right"));
    clock
}

pub(crate) fn jwt(payload: &str) -> String {
    format!(
        "eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl",
        URL_SAFE_NO_PAD.encode(payload)
    )
}

/// A token that expires in (or, below zero, expired before) so many seconds.
pub(crate) fn access_token(seconds: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs_f64();
    jwt(&format!(
        r#"{{"oid":"{OID}","exp":{},"upn":"app@contoso.com"}}"#,
        now + seconds as f64
    ))
}

pub(crate) fn token_reply(access_token: &str, expires_in: u64) -> HttpResponse {
    HttpResponse::new(200).with_body(format!(
        r#"{{"token_type":"Bearer","expires_in":{expires_in},"ext_expires_in":{expires_in},"access_token":"{access_token}"}}"#
    ))
}

/// The time left of a token that was just received.
pub(crate) fn left(token: &Token) -> Duration {
    token.time_left(Moment::now(&clock())).expect("it expires")
}

/// An error with all that stands behind it, in every form it can be shown.
pub(crate) fn everything(error: &(dyn Error + 'static)) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text += &format!("{error}\n{error:?}\n{error:#?}\n");
        next = error.source();
    }
    text
}
