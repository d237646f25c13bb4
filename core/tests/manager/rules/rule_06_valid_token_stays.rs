//! Rule 6: a valid token is never withdrawn by an error.

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{ErrorKind, Event, ManagerState, ProviderError, TokenError};

use crate::support::{Source, down, numbered, rig, rig_with};

#[test]
fn an_outage_is_not_seen_until_the_token_expires() {
    let time = ManualClock::new();
    let source = Source::new(&time, |n| match n {
        1 => numbered(n, hours(1)),
        _ => Err(down()),
    });
    let mut rig = rig_with(&time, source.clone(), |builder| builder);
    let mut reader = rig.manager.credentials();
    rig.run.advance(hours(1) - millis(1));
    // No wait is longer than 75 s or 5/32 of what is left.
    assert!(source.requests() > 30, "{}", source.requests());
    assert_eq!(rig.password().as_deref(), Some("token-1"));
    assert_eq!(rig.manager.status().state, ManagerState::Valid);
    assert!(rig.manager.status().last_error.is_some());
    let events = rig.events.take();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::CycleExhausted { .. }))
    );

    // One piece of news until then: the token.
    let mut news = move || futures::FutureExt::now_or_never(reader.changed());
    assert!(matches!(news(), Some(Ok(_))));
    assert!(news().is_none());

    rig.run.advance(millis(1));
    assert!(matches!(
        news(),
        Some(Err(TokenError::Unavailable(error))) if error.kind() == ErrorKind::Unavailable
    ));
    assert_eq!(rig.manager.status().state, ManagerState::Unavailable);
    let events = rig.events.take();
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::TokenExpired { generation: 1, .. }))
    );
}

#[test]
fn neither_a_fatal_error_nor_a_hang_nor_a_panic_withdraws_it() {
    let fatal = || ProviderError::new(ErrorKind::Rejected);
    let script = ScriptedProvider::new()
        .token("a", hours(1))
        .hang()
        .panic()
        .error(fatal())
        .error(fatal());
    let mut rig = rig(script.clone());
    for _ in 0..59 {
        rig.run.advance(minutes(1));
        assert_eq!(rig.password().as_deref(), Some("a"));
    }
    assert!(script.requests() > 5, "{}", script.requests());
}

#[test]
fn without_a_token_the_failure_is_published_once_the_retries_are_used_up() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let mut rig = rig_with(&time, source, |builder| builder);
    let current = |rig: &crate::support::Rig| rig.manager.credentials().current();
    rig.run.advance(millis(1499));
    assert!(matches!(current(&rig), Err(TokenError::Pending { .. })));
    rig.run.advance(seconds(1));
    assert!(matches!(current(&rig), Err(TokenError::Unavailable(_))));
}
