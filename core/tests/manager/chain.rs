//! A chain of providers: which is asked, and what is said when none has a
//! token.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, seconds};
use redis_authx::{
    ChainError, Clock, ErrorKind, IdentityProvider, ProviderChain, ProviderError, StaticToken,
    Token, TokenManager, TokenRequest, async_trait,
};

fn ask(chain: &ProviderChain) -> Result<String, ProviderError> {
    let token = futures::executor::block_on(chain.request_token(&ManualClock::new().request()))?;
    Ok(token.password().to_owned())
}

fn down() -> ProviderError {
    ProviderError::unavailable("connection refused")
}

fn refused() -> ProviderError {
    ProviderError::rejected("wrong secret")
}

fn said(error: &ProviderError) -> &ChainError {
    let source = error.source().and_then(|source| source.downcast_ref());
    source.expect("a ChainError")
}

#[test]
fn a_chain_that_remembers_stays_with_what_worked() {
    let first = ScriptedProvider::new()
        .error(down())
        .token("first", hours(1));
    let second = ScriptedProvider::new()
        .token("second", hours(1))
        .token("second again", hours(1));
    let chain = ProviderChain::new(first.clone())
        .or(second.clone())
        .sticky();
    assert_eq!(ask(&chain).as_deref().ok(), Some("second"));
    assert_eq!(ask(&chain).as_deref().ok(), Some("second again"));
    assert_eq!((first.requests(), second.requests()), (1, 2));
}

#[test]
fn a_hiccup_of_what_worked_changes_nobody_over() {
    let first = ScriptedProvider::new()
        .error(down())
        .token("first", hours(1));
    let second = ScriptedProvider::new()
        .token("second", hours(1))
        .error(down().with_retry_after(Duration::from_secs(9)))
        .token("second again", hours(1));
    let chain = ProviderChain::new(first.clone())
        .or(second.clone())
        .sticky();
    assert_eq!(ask(&chain).as_deref().ok(), Some("second"));

    let error = ask(&chain).expect_err("down");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.retry_after(), Some(Duration::from_secs(9)));
    let names: Vec<_> = said(&error).failures().map(|(name, _)| name).collect();
    assert_eq!(names, ["provider 2"]);

    assert_eq!(ask(&chain).as_deref().ok(), Some("second again"));
    assert_eq!(first.requests(), 1);
}

#[test]
fn what_worked_is_left_when_asking_it_again_can_not_help() {
    let first = ScriptedProvider::new()
        .error(down())
        .error(down())
        .token("first", hours(1));
    let second = ScriptedProvider::new()
        .token("second", hours(1))
        .error(refused())
        .error(refused());
    let third = ScriptedProvider::new()
        .token("third", hours(1))
        .error(refused());
    let chain = ProviderChain::new(first.clone())
        .or(second.clone())
        .or(third.clone())
        .sticky();
    assert_eq!(ask(&chain).as_deref().ok(), Some("second"));
    // Asked first, and once.
    assert_eq!(ask(&chain).as_deref().ok(), Some("third"));
    assert_eq!(
        (first.requests(), second.requests(), third.requests()),
        (2, 2, 1)
    );
    // The third refuses; the first is back.
    assert_eq!(ask(&chain).as_deref().ok(), Some("first"));
    assert_eq!(
        (first.requests(), second.requests(), third.requests()),
        (3, 2, 2)
    );
}

#[test]
fn when_none_is_there_each_is_heard() {
    let nothing_behind = ProviderError::new(ErrorKind::NotConfigured);
    let absent = ProviderError::not_configured("`BROKER_URL` is not set");
    let chain = ProviderChain::new(ScriptedProvider::new().error(absent))
        .named("broker")
        .or(ScriptedProvider::new().error(down()))
        .or(ScriptedProvider::new().error(nothing_behind))
        .named("file".to_owned());
    let error = ask(&chain).expect_err("none is there");
    // It may come back; the others don't without help.
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        said(&error).to_string(),
        "the chain has no token: broker: this source of tokens is not set up on this machine: \
         `BROKER_URL` is not set; provider 2: the identity service is unavailable: connection \
         refused; file: this source of tokens is not set up on this machine"
    );
    let kinds: Vec<_> = said(&error)
        .failures()
        .map(|(_, error)| error.kind())
        .collect();
    assert_eq!(
        kinds,
        [
            ErrorKind::NotConfigured,
            ErrorKind::Unavailable,
            ErrorKind::NotConfigured
        ]
    );
}

#[test]
fn a_chain_goes_on_only_past_what_is_not_there() {
    for (kind, goes_on) in [
        (ErrorKind::Expired, false),
        (ErrorKind::InvalidResponse, false),
        (ErrorKind::Misconfigured, false),
        (ErrorKind::NotConfigured, true),
        (ErrorKind::Other, false),
        (ErrorKind::Rejected, false),
        (ErrorKind::Throttled, false),
        (ErrorKind::Timeout, true),
        (ErrorKind::Unavailable, true),
    ] {
        let wait = Duration::from_secs(9);
        let error = ProviderError::new(kind).with_retry_after(wait);
        let second = ScriptedProvider::new().token("second", hours(1));
        let chain = ProviderChain::new(ScriptedProvider::new().error(down()))
            .or(ScriptedProvider::new().error(error))
            .or(second.clone());
        match ask(&chain) {
            Ok(_) => assert!(goes_on, "{kind:?}"),
            Err(error) => {
                assert!(!goes_on, "{kind:?}");
                assert_eq!((error.kind(), error.retry_after()), (kind, Some(wait)));
                assert_eq!(said(&error).failures().count(), 2);
            }
        }
        assert_eq!(second.requests(), usize::from(goes_on), "{kind:?}");
    }
}

#[test]
fn a_link_that_hangs_is_passed_over() {
    let hangs = ScriptedProvider::new().hang().hang().hang();
    let chain = ProviderChain::new(hangs.clone()).or(StaticToken::new(Token::new("user", "spare")));
    let time = ManualClock::new();
    let (manager, driver) = TokenManager::builder(chain).build(&time);
    let mut run = time.run(driver);
    assert!(manager.credentials().current().is_err());
    // Half of the ten seconds that the manager allows by default.
    run.advance(seconds(5));
    let token = manager.credentials().current().expect("the spare");
    assert_eq!(token.password(), "spare");
    assert_eq!((hangs.requests(), hangs.open_requests()), (1, 0));
    assert_eq!(manager.status().failures, 0);
}

/// Hangs, or fails at once, and keeps how long each request might take.
#[derive(Clone, Debug, Default)]
struct Limited {
    error: Option<ProviderError>,
    limits: Arc<Mutex<Vec<Duration>>>,
}

impl Limited {
    fn failing(error: ProviderError) -> Self {
        Self {
            error: Some(error),
            ..Self::default()
        }
    }

    fn limits(&self) -> Vec<Duration> {
        self.limits.lock().expect("no test panicked").clone()
    }
}

#[async_trait]
impl IdentityProvider for Limited {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let limit = request.time_left();
        self.limits.lock().expect("no test panicked").push(limit);
        match &self.error {
            Some(error) => Err(error.clone()),
            None => std::future::pending().await,
        }
    }
}

/// Asks once, with twelve seconds for it, and says how long it took.
fn timed(chain: ProviderChain) -> (Result<Token, ProviderError>, Duration) {
    let time = ManualClock::new();
    let (began, clock) = (time.now(), time.clone());
    let answer = time.run(std::future::ready(())).block_on(async move {
        let request = TokenRequest::new(&clock, seconds(12));
        chain.request_token(&request).await
    });
    (answer, time.now() - began)
}

#[test]
fn each_link_gets_an_equal_share_of_what_is_left() {
    let absent = Limited::failing(ProviderError::new(ErrorKind::NotConfigured));
    let links = [(); 3].map(|()| Limited::default());
    let chain = links
        .iter()
        .fold(ProviderChain::new(absent.clone()), |chain, link| {
            chain.or(link.clone())
        });
    let (answer, took) = timed(chain);
    // What the first leaves is shared by the others.
    assert_eq!(absent.limits(), [seconds(3)]);
    assert!(links.iter().all(|link| link.limits() == [seconds(4)]));
    let error = answer.expect_err("all hang");
    assert_eq!((error.kind(), took), (ErrorKind::Timeout, seconds(12)));
    let kinds: Vec<_> = said(&error)
        .failures()
        .map(|(_, error)| error.kind())
        .collect();
    assert_eq!(kinds[1..], [ErrorKind::Timeout; 3]);
}

#[test]
fn what_worked_has_all_of_the_time_and_no_other_is_asked_when_it_hangs() {
    let first = ScriptedProvider::new().error(down());
    let second = ScriptedProvider::new().token("second", hours(1)).hang();
    let chain = ProviderChain::new(first.clone())
        .or(second.clone())
        .sticky();
    assert!(ask(&chain).is_ok());
    let (answer, took) = timed(chain);
    let error = answer.expect_err("it hangs");
    assert_eq!((error.kind(), took), (ErrorKind::Timeout, seconds(12)));
    assert_eq!((first.requests(), second.requests()), (1, 2));
}

#[test]
fn a_chain_without_memory_prefers_the_first() {
    let first = ScriptedProvider::new()
        .error(down())
        .token("first", hours(1));
    let second = ScriptedProvider::new().token("second", hours(1));
    let chain = ProviderChain::new(first).or(second);
    assert_eq!(ask(&chain).as_deref().ok(), Some("second"));
    assert_eq!(ask(&chain).as_deref().ok(), Some("first"));
}
