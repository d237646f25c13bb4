//! What errors and settings say in words.

use std::error::Error;
use std::sync::Arc;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours};
use redis_authx::{
    Clock, ConfigError, ErrorKind, Moment, ProviderError, ReauthError, ReauthErrorKind, Token,
    TokenManager, provider_fn,
};

#[test]
fn every_failed_request_has_its_kind_its_text_and_its_word() {
    let expired = |source: &'static str| ProviderError::new(ErrorKind::Expired).with_source(source);
    type Make = fn(&'static str) -> ProviderError;
    let errors: [(Make, ErrorKind, &str, &str); 9] = [
        (
            expired,
            ErrorKind::Expired,
            "the token had expired on arrival",
            "expired",
        ),
        (
            |source| ProviderError::invalid_response(source),
            ErrorKind::InvalidResponse,
            "the identity service's reply could not be used",
            "invalid_response",
        ),
        (
            |source| ProviderError::misconfigured(source),
            ErrorKind::Misconfigured,
            "the token request is misconfigured",
            "misconfigured",
        ),
        (
            |source| ProviderError::not_configured(source),
            ErrorKind::NotConfigured,
            "this source of tokens is not set up on this machine",
            "not_configured",
        ),
        (
            |source| ProviderError::other(source),
            ErrorKind::Other,
            "the token request failed",
            "other",
        ),
        (
            |source| ProviderError::rejected(source),
            ErrorKind::Rejected,
            "the identity service rejected the credentials",
            "rejected",
        ),
        (
            |source| ProviderError::throttled(source),
            ErrorKind::Throttled,
            "the identity service is throttling requests",
            "throttled",
        ),
        (
            |source| ProviderError::timeout(source),
            ErrorKind::Timeout,
            "the identity service did not answer in time",
            "timeout",
        ),
        (
            |source| ProviderError::unavailable(source),
            ErrorKind::Unavailable,
            "the identity service is unavailable",
            "unavailable",
        ),
    ];
    for (make, kind, text, word) in errors {
        let error = make("why");
        assert_eq!(error.kind(), kind);
        assert_eq!(error.to_string(), text);
        assert_eq!(kind.as_str(), word);
        assert_eq!(error.source().unwrap().to_string(), "why");
        let fatal = matches!(
            kind,
            ErrorKind::Misconfigured | ErrorKind::NotConfigured | ErrorKind::Rejected
        );
        assert_eq!(error.is_transient(), !fatal, "{kind:?}");
    }
}

#[test]
fn every_failed_re_authentication_has_its_text_and_its_word() {
    for (kind, text, word) in [
        (
            ReauthErrorKind::Busy,
            "the connection is inside a transaction, blocked by a command, or owes replies",
            "busy",
        ),
        (
            ReauthErrorKind::Disconnected,
            "the connection to the server is lost",
            "disconnected",
        ),
        (ReauthErrorKind::Other, "re-authentication failed", "other"),
        (
            ReauthErrorKind::OutOfStep,
            "the connection's replies no longer belong to its requests",
            "out_of_step",
        ),
        (
            ReauthErrorKind::Refused,
            "the server refused the token",
            "refused",
        ),
        (
            ReauthErrorKind::Timeout,
            "the server did not answer AUTH in time",
            "timeout",
        ),
        (
            ReauthErrorKind::Unsupported,
            "the connection can't re-authenticate in place",
            "unsupported",
        ),
    ] {
        let error = ReauthError::new(kind);
        assert_eq!((error.to_string().as_str(), kind.as_str()), (text, word));
        assert!(error.source().is_none());
    }
}

#[test]
fn a_setting_that_is_missing_says_what_is_needed() {
    let error = ConfigError::missing("runtime", "a token manager that was spawned on one");
    assert_eq!((error.field(), error.found()), ("runtime", None));
    assert_eq!(
        error.to_string(),
        "`runtime` is not set, needed is a token manager that was spawned on one"
    );
}

#[test]
fn a_closure_and_a_driver_at_work_can_be_shown() {
    let closure = provider_fn(|| async { Ok::<_, ProviderError>(Token::new("user", "s3cret")) });
    assert_eq!(format!("{closure:?}"), "FnProvider { .. }");
    let time = ManualClock::default();
    let identity = ScriptedProvider::new().hang();
    let (_manager, mut driver) = TokenManager::builder(identity).build(&time);
    assert!(futures::FutureExt::now_or_never(&mut driver).is_none());
    let shown = format!("{driver:?}");
    assert!(
        shown.contains("request: Some(Request { id: RequestId"),
        "{shown}"
    );
}

#[test]
fn an_expiry_is_known_once_the_life_has_begun() {
    let time = ManualClock::new();
    let token = || Token::new("user", "s3cret");
    assert_eq!(token().expiry(), None);
    assert_eq!(token().expires_in(hours(1)).expiry(), None);
    let at = time.wall() + hours(1);
    assert_eq!(token().expires_at(at).expiry(), Some(at));
    let script = ScriptedProvider::new().token("a", hours(1));
    let (manager, driver) = TokenManager::builder(script).build(&time);
    let _run = time.run(driver);
    assert_eq!(manager.credentials().current().unwrap().expiry(), Some(at));
}

#[test]
fn a_request_knows_its_attempt() {
    use redis_authx::machine::{Input, Machine, Output, RequestId};
    use redis_authx::{ExponentialBackoff, RefreshPolicy};
    let now = Moment::now(&ManualClock::new());
    let retry = Arc::new(ExponentialBackoff::default());
    let mut machine = Machine::<()>::new(RefreshPolicy::default(), retry, 7, now);
    let mut request = || -> RequestId {
        loop {
            if let Some(Output::Request(id)) = machine.poll_output() {
                return id;
            }
            let at = machine.poll_timeout().expect("a retry");
            let at = Moment::new(at, now.wall());
            machine.handle_input(at, Input::Timeout);
        }
    };
    let attempts: Vec<u32> = (0..7).map(|_| request().attempt()).collect();
    assert_eq!(attempts, [1, 2, 3, 4, 5, 6, 7]);
}

#[cfg(feature = "metrics")]
#[test]
fn an_observer_of_metrics_shows_its_labels() {
    let observer = redis_authx::MetricsObserver::new(ManualClock::new()).label("pool", "orders");
    let shown = format!("{observer:?}");
    assert!(shown.starts_with("MetricsObserver { labels: ["), "{shown}");
    assert!(
        shown.contains("pool") && shown.contains("orders"),
        "{shown}"
    );
}

#[test]
fn the_alternate_form_of_an_error_prints_its_sources() {
    let error = ProviderError::unavailable("connection refused");
    assert_eq!(error.to_string(), "the identity service is unavailable");
    let whole = "the identity service is unavailable: connection refused";
    assert_eq!(format!("{error:#}"), whole);
    let error = redis_authx::TokenError::Unavailable(error);
    assert_eq!(
        format!("{error:#}"),
        format!("no valid token is held: {whole}")
    );
}

#[test]
fn every_state_has_its_word() {
    use redis_authx::ManagerState;
    let states = [
        ManagerState::Pending,
        ManagerState::Stopped,
        ManagerState::Unavailable,
        ManagerState::Valid,
    ];
    let words = states.map(|state| state.to_string());
    assert_eq!(words, ["pending", "stopped", "unavailable", "valid"]);
}
