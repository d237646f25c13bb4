//! A chain of providers: which is asked, and what is said when none has a
//! token.

use std::error::Error;
use std::time::Duration;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours};
use redis_authx::{ChainError, ErrorKind, IdentityProvider, ProviderChain, ProviderError};

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
        .remembering();
    assert_eq!(ask(&chain).as_deref().ok(), Some("second"));
    assert_eq!(ask(&chain).as_deref().ok(), Some("second again"));
    assert_eq!((first.requests(), second.requests()), (1, 2));
}

#[test]
fn a_hiccup_of_what_worked_changes_nobody_over() {
    let first = ScriptedProvider::new()
        .error(refused())
        .token("first", hours(1));
    let second = ScriptedProvider::new()
        .token("second", hours(1))
        .error(down().with_retry_after(Duration::from_secs(9)))
        .token("second again", hours(1));
    let chain = ProviderChain::new(first.clone())
        .or(second.clone())
        .remembering();
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
        .remembering();
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
fn when_all_fail_each_is_heard() {
    let nothing_behind = ProviderError::new(ErrorKind::Misconfigured);
    let chain = ProviderChain::new(ScriptedProvider::new().error(refused()))
        .called("broker")
        .or(ScriptedProvider::new().error(down()))
        .or(ScriptedProvider::new().error(nothing_behind))
        .called("file".to_owned());
    let error = ask(&chain).expect_err("all fail");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        said(&error).to_string(),
        "no provider has a token: broker: the identity service rejected the credentials: wrong \
         secret; provider 2: the identity service is unavailable: connection refused; file: the \
         token request is misconfigured"
    );
    let kinds: Vec<_> = said(&error)
        .failures()
        .map(|(_, error)| error.kind())
        .collect();
    assert_eq!(
        kinds,
        [
            ErrorKind::Rejected,
            ErrorKind::Unavailable,
            ErrorKind::Misconfigured
        ]
    );
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
