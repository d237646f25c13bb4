//! No token in any `Debug`, error or event; all else is shown.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use redis_authx::machine::{Input, Lease, Machine, Output};
use redis_authx::testing::{EventLog, ManualClock, ScriptedProvider, hours, minutes};
use redis_authx::{
    ErrorKind, ExponentialBackoff, IdentityProvider, Moment, ProviderChain, ProviderError,
    ReauthError, ReauthErrorKind, RefreshPolicy, StaticToken, Token, TokenError, TokenManager,
    TokenRequest, async_trait,
};

const SECRET: &str = "s3cret-eyJhbGciOi";

fn token() -> Token {
    Token::new("someone", SECRET).expires_in(hours(1))
}

/// Neither form of its `Debug` shows the secret; both show all of `shown`.
fn hides(what: &impl Debug, shown: &[&str]) {
    for text in [format!("{what:?}"), format!("{what:#?}")] {
        assert!(!text.contains(SECRET), "{text}");
        for part in shown {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}

#[test]
fn tokens_and_what_holds_them() {
    let shown = ["someone", "redacted", "3600s", "EndsWithToken"];
    hides(&token(), &shown);
    hides(&StaticToken::new(token()), &shown);
    hides(&ProviderChain::new(StaticToken::new(token())), &shown);
    hides(&TokenManager::builder(StaticToken::new(token())), &shown);
    hides(&ScriptedProvider::new().answer(Ok(token())), &["requests"]);
    let lease = || Lease::new(token(), Some(now().after(Duration::from_secs(77))));
    hides(&lease(), &["someone", "end", "unchanged"]);
    hides(&Some(token()), &shown);
}

fn now() -> Moment {
    Moment::now(&ManualClock::new())
}

#[test]
fn a_machine_its_inputs_and_its_outputs() {
    let now = now();
    let retry = Arc::new(ExponentialBackoff::default());
    let mut machine = Machine::new(RefreshPolicy::default(), retry, 7, now);
    let Some(Output::Request(id)) = machine.poll_output() else {
        panic!("it begins with a request");
    };
    let input = Input::Completed {
        id,
        result: Ok(Lease::new(token(), Some(now.after(hours(1))))),
    };
    hides(&input, &["Completed", "someone"]);
    machine.handle_input(now, input);
    hides(&machine, &["someone", "Waiting", "max_attempts"]);
    let mut published = 0;
    while let Some(output) = machine.poll_output() {
        published += usize::from(matches!(output, Output::Publish(_)));
        hides(&output, &["generation: 1"]);
    }
    assert_eq!(published, 1);
}

#[test]
fn a_manager_its_handles_and_its_driver() {
    let time = ManualClock::new();
    let events = EventLog::new();
    let (manager, mut driver) = TokenManager::builder(StaticToken::new(token()))
        .observer(events.clone())
        .build(&time);
    hides(&driver, &["Driver", "Requesting"]);
    assert!(futures::FutureExt::now_or_never(&mut driver).is_none());
    hides(&driver, &["Driver", "Waiting", "someone"]);
    hides(&manager, &["TokenManager", "someone"]);
    hides(&manager.credentials(), &["Credentials", "someone"]);
    hides(&manager.status(), &["Valid", "generation: 1"]);
    hides(&events.take(), &["TokenRefreshed"]);
    hides(&time, &["ManualClock"]);
}

/// An error with all that stands behind it.
fn chain(error: &dyn Error) -> String {
    let Some(source) = error.source() else {
        return error.to_string();
    };
    format!("{error}: {}", chain(source))
}

#[test]
fn errors_show_what_stands_behind_them_and_one_level_each() {
    let error = ProviderError::unavailable("connection refused").with_retry_after(minutes(1));
    let unavailable = TokenError::Unavailable(error.clone());
    assert_eq!(
        chain(&unavailable),
        "no valid token is held: the identity service is unavailable: connection refused"
    );
    hides(&unavailable, &["Unavailable", "connection refused", "60s"]);
    let refused = ReauthError::new(ReauthErrorKind::Refused).with_source("WRONGPASS");
    assert_eq!(chain(&refused), "the server refused the token: WRONGPASS");
    hides(&refused, &["Refused", "WRONGPASS"]);
    for kind in [ErrorKind::Expired, ErrorKind::Timeout] {
        let bare = ProviderError::from(kind);
        assert!(bare.source().is_none());
        assert!(!bare.to_string().is_empty());
    }
    assert!(TokenError::Stopped.source().is_none());
}

/// Puts the secret where a panic could carry it out.
#[derive(Debug)]
struct Blabs;

#[async_trait]
impl IdentityProvider for Blabs {
    async fn request_token(&self, _: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        std::panic::panic_any(SECRET.to_owned());
    }
}

#[test]
fn what_a_provider_panicked_with_is_not_repeated() {
    let mut rig = crate::support::rig(Blabs);
    rig.run.advance(minutes(1));
    let events = rig.events.take();
    assert!(events.len() > 3);
    hides(&events, &["AttemptFailed", "CycleExhausted", "panicked"]);
    hides(&rig.manager.status(), &["Unavailable", "panicked"]);
}
