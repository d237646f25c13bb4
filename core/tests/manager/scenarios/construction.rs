use std::time::Duration;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, minutes, seconds};
use redis_authx::{
    ExponentialBackoff, IdentityProvider, OnExhausted, RefreshPolicy, Token, TokenManager,
    TokenRequest, async_trait, provider_fn,
};

use crate::support::{Answer, Source, down, exact, rig_with};

#[test]
fn defaults_are_those_that_the_documentation_names() {
    let time = ManualClock::new();
    let script = ScriptedProvider::new().token("a", hours(1)).hang();
    let (manager, driver) = TokenManager::builder(script.clone()).build(&time);
    let mut run = time.run(driver);
    // Three quarters of an hour, less a twentieth at most.
    let mut waited = Duration::ZERO;
    while script.requests() == 1 {
        waited += run.advance_to_next().unwrap();
    }
    assert!(
        (seconds(2565)..=seconds(2700)).contains(&waited),
        "{waited:?}"
    );
    // An attempt lasts ten seconds.
    run.advance(seconds(10) - millis(1));
    assert_eq!(script.open_requests(), 1);
    run.advance(millis(1));
    assert_eq!(script.open_requests(), 0);
    assert_eq!(manager.status().failures, 1);

    let policy = RefreshPolicy::default();
    assert_eq!(policy.refresh_after(minutes(10)), minutes(7));
    let retry = ExponentialBackoff::default();
    let delays: Vec<_> = (1..=8).map(|attempt| retry.delay(attempt)).collect();
    let expected = [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000].map(millis);
    assert_eq!(delays, expected);
}

#[test]
fn settings_that_were_made_are_kept() {
    let time = ManualClock::new();
    let source = Source::new(&time, |_| Err(down()));
    let policy = exact(|policy| {
        policy
            .cool_down(seconds(7))
            .on_exhausted(OnExhausted::CoolDown)
    });
    let retry = ExponentialBackoff::builder()
        .max_attempts(3)
        .initial_delay(seconds(2))
        .max_delay(seconds(5))
        .backoff_multiplier(3.0)
        .jitter(0.0)
        .build()
        .unwrap();
    let mut rig = rig_with(&time, source.clone(), |builder| {
        builder.refresh_policy(policy).retry_policy(retry)
    });
    let _need = rig.manager.credentials().need();
    rig.run.advance(minutes(5));
    let gaps = source.gaps();
    assert_eq!(gaps[..2], [2000, 5000]);
    // After a minute, half of the cool-down to all of it.
    let late = &gaps[gaps.len() - 30..];
    assert!(
        late.iter().all(|gap| (3500..=7000).contains(gap)),
        "{gaps:?}"
    );
}

#[derive(Debug)]
struct Vault;

#[async_trait]
impl IdentityProvider for Vault {
    async fn request_token(&self, _: &TokenRequest<'_>) -> Answer {
        Ok(Token::new("app", "from a vault"))
    }
}

#[test]
fn a_provider_of_ones_own_and_a_closure_are_providers() {
    let time = ManualClock::new();
    let rig = rig_with(&time, Vault, |builder| builder);
    assert_eq!(rig.password().as_deref(), Some("from a vault"));

    let closure = provider_fn(|| async { Ok(Token::new("app", "from a closure")) });
    let rig = rig_with(&time, closure, |builder| builder);
    assert_eq!(rig.password().as_deref(), Some("from a closure"));
}
