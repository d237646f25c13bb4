use std::sync::{Arc, Mutex};
use std::time::Duration;

use redis_authx::testing::{hours, millis, minutes};
use redis_authx::{Clock, ErrorKind, Token, TokenError};

use crate::support::{Gate, Rig, down, numbered, rig};

type Outcomes = Arc<Mutex<Vec<(Duration, Result<Token, TokenError>)>>>;

/// So many wait for a token at once; what each gets, and after how long.
fn waiting(rig: &mut Rig, count: usize) -> Outcomes {
    let outcomes = Outcomes::default();
    let start = rig.time.now();
    for _ in 0..count {
        let (credentials, clock) = (rig.manager.credentials(), rig.time.clone());
        let outcomes = Arc::clone(&outcomes);
        rig.run.spawn(async move {
            let outcome = credentials.get(minutes(1)).await;
            let after = clock.now() - start;
            outcomes.lock().expect("whole").push((after, outcome));
        });
    }
    outcomes
}

#[test]
fn when_the_first_fetch_fails_for_good_all_who_wait_are_told_at_once() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let outcomes = waiting(&mut rig, 100);
    assert!(outcomes.lock().unwrap().is_empty());
    gate.answer(Err(ErrorKind::Rejected.into()));
    rig.run.settle();
    let outcomes = outcomes.lock().unwrap();
    assert_eq!(outcomes.len(), 100);
    assert!(outcomes.iter().all(|(after, outcome)| {
        let why = |error: &TokenError| {
            matches!(error, TokenError::Unavailable(error) if error.kind() == ErrorKind::Rejected)
        };
        after.is_zero() && outcome.as_ref().is_err_and(why)
    }));
    assert_eq!(gate.requests(), 1);
}

#[test]
fn when_the_first_fetch_fails_all_who_wait_get_the_token_of_the_retry() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let outcomes = waiting(&mut rig, 100);
    gate.answer(Err(down()));
    rig.run.advance(millis(100));
    assert!(outcomes.lock().unwrap().is_empty());
    gate.answer(numbered(2, hours(1)));
    rig.run.settle();
    let outcomes = outcomes.lock().unwrap();
    assert_eq!(outcomes.len(), 100);
    assert!(outcomes.iter().all(|(after, outcome)| {
        let right = |token: &Token| token.password() == "token-2" && token.generation() == 1;
        *after == millis(100) && outcome.as_ref().is_ok_and(right)
    }));
    assert_eq!(gate.requests(), 2);
}

#[test]
fn a_thread_that_waits_is_told_of_a_failure_for_good() {
    let gate = Gate::default();
    let mut rig = rig(gate.clone());
    let credentials = rig.manager.credentials();
    let waits = std::thread::spawn(move || credentials.get_blocking(Duration::MAX));
    gate.answer(Err(ErrorKind::Misconfigured.into()));
    rig.run.settle();
    let outcome = waits.join().unwrap();
    assert!(matches!(
        outcome,
        Err(TokenError::Unavailable(error)) if error.kind() == ErrorKind::Misconfigured
    ));
}
