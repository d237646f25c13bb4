//! What is shown of a request, from its configuration to its end.

mod common;

use common::*;
use redis_authx::ProviderError;
use redis_authx_entraid::{Claims, HttpMethod, HttpRequest, HttpResponse};

/// Neither the secret, as it is or on the wire, nor a part of the token.
fn assert_clean(shown: &str, token: &str) {
    for needle in ["hunter2", "c2lnbmF0dXJl", "eyJhbGciOiJub25lIn0"]
        .into_iter()
        .chain(token.split('.').filter(|part| part.len() > 8))
    {
        assert!(!shown.contains(needle), "{needle} in {shown}");
    }
}

#[test]
fn a_request_that_succeeds() {
    let access_token = access_token(3600);
    let http = Scripted::new(Ok(
        token_reply(&access_token, 3599).with_header("Set-Cookie", "hunter2")
    ));
    let builder = builder().http_client(http.clone());
    let mut shown = format!("{builder:?} {builder:#?}");
    let identity = builder.build().expect("a good configuration");
    shown += &format!("{identity:?} {identity:#?}");
    let token = request(&identity).expect("a token");
    shown += &format!("{token:?} {http:?} {:?}", http.requests());
    shown += &format!("{:?}", Claims::parse(&access_token));
    shown += &format!("{identity:?} {identity:#?}");
    assert_clean(&shown, &access_token);
    assert!(shown.contains(CLIENT_ID) && shown.contains("[redacted]"));
}

/// Services, and proxies before them, that quote what they were sent.
#[test]
fn answers_that_echo_the_secret() {
    let token = access_token(3600);
    let expired = access_token(-5);
    let no_oid = jwt(r#"{"exp":1,"hunter2":"hunter2"}"#);
    let echo = format!("hunter2 {token}");
    let bodies = [
        echo.clone(),
        format!(r#""{echo}""#),
        format!(r#"{{"access_token":7,"x":"{echo}"}}"#),
        format!(r#"{{"access_token":"{expired}","expires_in":5}}"#),
        format!(r#"{{"access_token":"{no_oid}"}}"#),
        format!(r#"{{"access_token":"{token}.x"}}"#),
        format!(r#"{{"access_token":"{token}""#),
        format!(r#"{{"access_token":"{token}","access_token":"{token}"}}"#),
        format!(
            r#"{{"error":"hunter2","error_description":"AADSTS7000215: {echo}","trace_id":"hunter2","correlation_id":"{token}","error_codes":["hunter2"],"error_uri":"{echo}","suberror":"hunter2","claims":"{token}"}}"#
        ),
    ];
    for body in &bodies {
        for status in [200, 302, 400, 401, 429, 503] {
            let answer = HttpResponse::new(status)
                .with_header("Location", "https://example.com/?hunter2")
                .with_header("Retry-After", "hunter2")
                .with_header("Date", "hunter2")
                .with_body(body.as_str());
            let mut shown = format!("{answer:?} {answer:#?}");
            let error: ProviderError = ask(answer).expect_err("no usable token");
            shown += &everything(&error);
            for token in [&token, &expired, &no_oid] {
                assert_clean(&shown, token);
            }
        }
    }
}

#[test]
fn requests_show_only_harmless_headers() {
    let request = HttpRequest::new(HttpMethod::Get, "https://example.com/")
        .with_header("Accept", "application/json")
        .with_header("Authorization", "Basic hunter2")
        .with_header("X-IDENTITY-HEADER", "hunter2")
        .with_body("hunter2");
    let shown = format!("{request:?} {request:#?}");
    assert_clean(&shown, "");
    assert!(shown.contains("application/json") && shown.contains("X-IDENTITY-HEADER"));
}
