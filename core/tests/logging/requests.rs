use redis_authx::testing::{ManualClock, ScriptedProvider, hours, millis, seconds};
use redis_authx::{
    ErrorKind, IdentityProvider, ProviderError, Token, TokenManager, TokenRequest, async_trait,
    provider_fn,
};
use tracing::{Instrument, info, info_span};

use crate::support::{Answer, Gate, Source, numbered, rig_with};
use crate::transcript::transcript;

/// Without the messages of the manager, which `tests/tracing.rs` looks at.
fn without_ours(lines: Vec<String>) -> Vec<String> {
    let ours = |line: &String| line.starts_with(": token") || line.starts_with(": identity");
    lines.into_iter().filter(|line| !ours(line)).collect()
}

#[test]
fn each_request_is_a_span_that_says_which_attempt_it_is_and_how_it_ended() {
    let lines = transcript(|| {
        let time = ManualClock::new();
        let source = Source::new(&time, |n| {
            info!("asked for token {n}");
            match n {
                1 => Err(ProviderError::unavailable("down")),
                2 => numbered(n, seconds(0)),
                3 => panic!("lost my mind"),
                4 => Err(ErrorKind::Misconfigured.into()),
                n => numbered(n, hours(1)),
            }
        });
        let mut rig = rig_with(&time, source, |builder| builder);
        rig.run.advance(seconds(2));
        rig.manager.refresh();
        rig.run.advance(seconds(1));
        rig.manager.stop();
        rig.run.settle();
    });
    let expected = [
        "token_request: asked for token 1",
        "token_request attempt=1 outcome=\"failed\" kind=\"unavailable\" (INFO)",
        "token_request: asked for token 2",
        "token_request attempt=2 outcome=\"failed\" kind=\"expired\" (INFO)",
        "token_request: asked for token 3",
        "token_request attempt=3 outcome=\"failed\" kind=\"other\" (INFO)",
        "token_request: asked for token 4",
        "token_request attempt=4 outcome=\"failed\" kind=\"misconfigured\" (INFO)",
        "token_request: asked for token 5",
        "token_request attempt=5 outcome=\"succeeded\" (INFO)",
    ];
    assert_eq!(without_ours(lines), expected);
}

#[test]
fn its_attempt_is_the_one_that_the_event_reports() {
    let lines = transcript(|| {
        let time = ManualClock::new();
        let source = Source::new(&time, |_| Err(ErrorKind::Unavailable.into()));
        let mut rig = rig_with(&time, source, |builder| builder);
        rig.run.advance(seconds(5));
    });
    let attempts = |start: &str| -> Vec<String> {
        let of_one = |line: &String| {
            let rest = line.strip_prefix(start)?.strip_prefix(" attempt=")?;
            rest.split(' ').next().map(str::to_owned)
        };
        lines.iter().filter_map(of_one).collect()
    };
    let spans = attempts("token_request");
    assert_eq!(spans[..7], ["1", "2", "3", "4", "5", "6", "7"]);
    assert_eq!(spans, attempts(": token request failed"));
}

/// Logs when it begins, when it ends, and when it is let go in between.
#[derive(Debug)]
struct Chatty<P>(P);

struct LetGo;

impl Drop for LetGo {
    fn drop(&mut self) {
        info!("let go");
    }
}

#[async_trait]
impl<P: IdentityProvider> IdentityProvider for Chatty<P> {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Answer {
        info!("begins");
        let _guard = LetGo;
        let answer = self.0.request_token(request).await;
        info!("ends");
        answer
    }
}

#[test]
fn what_is_logged_after_a_wait_is_inside_and_what_others_log_meanwhile_is_not() {
    let lines = transcript(|| {
        let time = ManualClock::new();
        let gate = Gate::default();
        let mut rig = rig_with(&time, Chatty(gate.clone()), |builder| builder);
        rig.run.spawn(async { info!("another task") });
        info!("the application");
        gate.answer(numbered(1, hours(1)));
        rig.run.settle();
    });
    let expected = [
        "token_request: begins",
        ": another task",
        ": the application",
        "token_request: ends",
        "token_request: let go",
        "token_request attempt=1 outcome=\"succeeded\" (INFO)",
    ];
    assert_eq!(lines[..6], expected);
    // What follows from it is told when it has ended.
    assert!(lines[6].starts_with(": token refreshed generation=1"));
}

#[test]
fn a_request_that_is_cut_off_says_whether_for_want_of_time() {
    let lines = transcript(|| {
        let time = ManualClock::new();
        let script = ScriptedProvider::new().hang().hang();
        let mut rig = rig_with(&time, Chatty(script), |builder| builder);
        rig.run.advance(seconds(10) + millis(100));
        rig.manager.stop();
        rig.run.settle();
    });
    let expected = [
        "token_request: begins",
        "token_request: let go",
        "token_request attempt=1 outcome=\"failed\" kind=\"timeout\" (INFO)",
        "token_request: begins",
        "token_request: let go",
        "token_request attempt=2 outcome=\"cancelled\" (INFO)",
    ];
    assert_eq!(without_ours(lines), expected);
}

#[test]
fn a_request_whose_driver_is_dropped_was_cancelled() {
    let lines = transcript(|| {
        let time = ManualClock::new();
        let identity = ScriptedProvider::new().hang();
        let (_manager, driver) = TokenManager::builder(identity).build(&time);
        drop(time.run(driver));
    });
    let expected = [
        "token_request attempt=1 outcome=\"cancelled\" (INFO)",
        ": token manager stopped",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn a_driver_inside_a_span_of_the_application_keeps_its_requests_there() {
    let lines = transcript(|| {
        let time = ManualClock::new();
        let identity = provider_fn(|| async {
            info!("asked");
            Ok::<_, ProviderError>(Token::new("user", "token-1"))
        });
        let (manager, driver) = TokenManager::builder(identity).build(&time);
        let mut run = time.run(driver.instrument(info_span!("app")));
        manager.stop();
        run.settle();
    });
    let expected = [
        "app > token_request: asked",
        "app > token_request attempt=1 outcome=\"succeeded\" (INFO)",
        "app: token refreshed generation=1 lifetime=None latency=0ns",
        "app: token manager stopped",
        "app (INFO)",
    ];
    assert_eq!(lines, expected);
}
