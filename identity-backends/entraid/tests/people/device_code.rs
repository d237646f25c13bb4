use futures::executor::block_on;
use redis_authx::testing::ManualClock;
use redis_authx::{Clock, ErrorKind};
use redis_authx_entraid::{DeviceCode, EntraIdentity, HttpResponse, SignInError};

use crate::answers::*;
use crate::common::*;

/// A sign-in with a code that is good for 20 s and may be asked about every 5 s,
/// and how long it took to end.
fn finish(answers: impl FnOnce(Answers) -> Answers) -> (Result<EntraIdentity, SignInError>, u64) {
    let http = Answers::default();
    let prompt = r#"{"user_code":"A","device_code":"d","verification_uri":"https://a","expires_in":20,"interval":5}"#;
    answers(http.clone().then(HttpResponse::new(200).with_body(prompt)));
    let flow = DeviceCode::new(CLIENT_ID).http_client(http);
    let sign_in = block_on(flow.begin()).expect("a code");
    let clock = ManualClock::new();
    let (begun, time) = (clock.now(), clock.clone());
    let ended = clock
        .run(async {})
        .block_on(async move { sign_in.finish(&time).await });
    (ended, (clock.now() - begun).as_secs())
}

fn pending() -> HttpResponse {
    refused("authorization_pending", 70_016)
}

fn kind(ended: Result<EntraIdentity, SignInError>) -> ErrorKind {
    match ended {
        Err(SignInError::Provider(error)) => error.kind(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_asking_again_does_not_mend_is_told_at_once() {
    let html = |status| HttpResponse::new(status).with_body("<html>no</html>");
    for answer in [
        html(403),
        html(302),
        html(200),
        HttpResponse::new(200).with_body("{}"),
    ] {
        let status = answer.status();
        let (ended, seconds) = finish(|http| http.then(pending()).then(answer));
        let kind = kind(ended);
        assert!(
            matches!(kind, ErrorKind::Other | ErrorKind::InvalidResponse),
            "{status}: {kind:?}"
        );
        assert_eq!(seconds, 10, "{status}");
    }
}

#[test]
fn an_outage_that_lasts_is_told_from_a_person_who_does_not_come() {
    let down = || HttpResponse::new(503);
    // At 5, 15 and 20 s.
    let (ended, seconds) = finish(|http| http.then(down()).then(down()).then(down()));
    assert_eq!((kind(ended), seconds), (ErrorKind::Unavailable, 20));

    let (ended, seconds) = finish(|http| http.then(pending()).then(down()).then(pending()));
    assert!(matches!(ended, Err(SignInError::TimedOut)), "{ended:?}");
    assert_eq!(seconds, 20);
}
