//! Credentials that say what they are told to, and tokens made to measure.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use redis_authx::testing::ManualClock;
use redis_authx::{IdentityProvider, ProviderError, Token, async_trait};

pub(crate) const OID: &str = "12345678-9abc-def0-1234-56789abcdef0";

type Answer = dyn Fn() -> azure_core::Result<AccessToken> + Send + Sync;

/// Answers as a function says, and keeps the scopes that it was asked for.
pub(crate) struct Says {
    answer: Box<Answer>,
    pub(crate) scopes: Mutex<Vec<String>>,
}

impl Says {
    pub(crate) fn new(
        answer: impl Fn() -> azure_core::Result<AccessToken> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            answer: Box::new(answer),
            scopes: Mutex::default(),
        })
    }

    pub(crate) fn token(text: &str, expires_on: i64) -> Arc<Self> {
        let token = AccessToken::new(text.to_owned(), date(expires_on));
        Self::new(move || Ok(token.clone()))
    }
}

#[async_trait]
impl TokenCredential for Says {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let mut kept = self.scopes.lock().expect("no test panicked");
        kept.extend(scopes.iter().map(|scope| (*scope).to_owned()));
        (self.answer)()
    }
}

impl std::fmt::Debug for Says {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("hunter2")
    }
}

pub(crate) fn date(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(seconds).expect("a date")
}

pub(crate) fn epoch(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

pub(crate) fn jwt(payload: &str) -> String {
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
}

pub(crate) fn ask(identity: &impl IdentityProvider) -> Result<Token, ProviderError> {
    futures::executor::block_on(identity.request_token(&ManualClock::new().request()))
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
