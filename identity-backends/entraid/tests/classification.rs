//! Each row of the crate's table of errors.

mod common;

use std::error::Error;
use std::time::Duration;

use common::*;
use redis_authx::{ErrorKind, ProviderError};
use redis_authx_entraid::{EntraError, HttpError, HttpErrorKind, HttpResponse};

/// As Entra ID writes it, line breaks included.
fn refused(status: u16, word: &str, code: u32) -> HttpResponse {
    HttpResponse::new(status).with_body(format!(
        r#"{{"error":"{word}","error_description":"AADSTS{code}: Some text.\r\nTrace ID: x\r\nTimestamp: y","error_codes":[{code}],"timestamp":"2026-01-02 03:04:05Z","trace_id":"0b1f6471-1bf0-4dda-aec3-cb9272f09590","correlation_id":"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee","error_uri":"https://login.microsoftonline.com/error?code={code}"}}"#
    ))
}

fn error(answer: HttpResponse) -> ProviderError {
    ask(answer).expect_err("no token in it")
}

fn source(error: &ProviderError) -> &EntraError {
    error
        .source()
        .and_then(<dyn Error>::downcast_ref)
        .expect("an EntraError")
}

#[test]
fn by_code_whatever_the_word_and_status() {
    use ErrorKind::{Misconfigured, Rejected, Throttled, Unavailable};

    let rows: [(ErrorKind, &[u32]); 4] = [
        (Throttled, &[50196, 90055]),
        (Unavailable, &[50033, 90006, 90012, 90024, 90033, 90090]),
        (
            Rejected,
            &[
                7000215, 7000222, 7000112, 700027, 700030, 53003, 50072, 50074, 50076, 50079,
                50173, 65001, 700082, 700024, 500133, 50012, 50013, 50027, 70021, 70025, 700211,
                700212, 700213, 700229,
            ],
        ),
        (
            Misconfigured,
            &[
                700016, 90002, 900023, 90038, 50059, 50194, 9001023, 70011, 700022, 1002012,
                500011, 50001, 900144, 900561, 7000218, 90124, 90130,
            ],
        ),
    ];
    for (kind, codes) in rows {
        for code in codes {
            for status in [400, 401, 403] {
                let error = error(refused(status, "some_word", *code));
                assert_eq!(error.kind(), kind, "{code}");
                assert_eq!(source(&error).codes(), [*code]);
                assert!(everything(&error).contains(&format!("AADSTS{code}")));
            }
        }
    }
}

#[test]
fn by_word_when_the_code_is_unknown_or_missing() {
    use ErrorKind::{Misconfigured, Other, Rejected, Unavailable};

    for (kind, words) in [
        (
            Rejected,
            &[
                "invalid_client",
                "unauthorized_client",
                "access_denied",
                "invalid_grant",
                "interaction_required",
                "consent_required",
                "login_required",
            ][..],
        ),
        (
            Misconfigured,
            &[
                "invalid_request",
                "invalid_scope",
                "invalid_resource",
                "invalid_tenant",
                "invalid_instance",
                "unsupported_grant_type",
                "unsupported_response_type",
            ],
        ),
        (Unavailable, &["server_error", "temporarily_unavailable"]),
        (Other, &["something_new", "Invalid_Client", "", "in valid"]),
    ] {
        for word in words {
            assert_eq!(error(refused(400, word, 1)).kind(), kind, "{word}");
            let body = format!(r#"{{"error":"{word}"}}"#);
            let error = error(HttpResponse::new(401).with_body(body));
            assert_eq!(error.kind(), kind, "{word}");
        }
    }
}

#[test]
fn throttling_is_answered_in_plain_text() {
    for body in [
        "Too many requests",
        "",
        "{",
        r#"{"error":"invalid_client"}"#,
    ] {
        let answer = HttpResponse::new(429)
            .with_header("Retry-After", "60")
            .with_body(body);
        let error = error(answer);
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    }
    assert_eq!(error(HttpResponse::new(429)).retry_after(), None);
}

#[test]
fn a_service_that_is_down_keeps_its_retry_after() {
    for status in [408, 500, 502, 503, 504, 599] {
        let answer =
            refused(status, "invalid_client", 7000215).with_header("retry-after-ms", "250");
        let error = error(answer);
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{status}");
        assert_eq!(error.retry_after(), Some(Duration::from_millis(250)));
    }
    let answer = refused(400, "temporarily_unavailable", 90033).with_header("Retry-After", "7");
    assert_eq!(error(answer).retry_after(), Some(Duration::from_secs(7)));
    // Waiting is no cure for a wrong secret.
    let answer = refused(401, "invalid_client", 7000215).with_header("Retry-After", "7");
    assert_eq!(error(answer).retry_after(), None);
}

#[test]
fn by_status_when_the_body_says_nothing() {
    use ErrorKind::{InvalidResponse, Misconfigured, Other};

    for (kind, statuses) in [
        (Other, &[400, 401, 403, 410, 418, 451][..]),
        (Misconfigured, &[404, 405, 407]),
        (
            InvalidResponse,
            &[0, 100, 201, 204, 206, 301, 302, 307, 308, 600, 999],
        ),
    ] {
        for status in statuses {
            for body in [
                "",
                "<html>sign in</html>",
                "[]",
                "null",
                "7",
                r#"{"error":{}}"#,
            ] {
                let error = error(HttpResponse::new(*status).with_body(body));
                assert_eq!(error.kind(), kind, "{status}");
                assert_eq!(source(&error).status(), *status);
            }
        }
    }
}

#[test]
fn no_answer() {
    for (http, kind) in [
        (HttpErrorKind::Connect, ErrorKind::Unavailable),
        (HttpErrorKind::Tls, ErrorKind::Unavailable),
        (HttpErrorKind::Timeout, ErrorKind::Timeout),
        (HttpErrorKind::TooLarge, ErrorKind::InvalidResponse),
        (HttpErrorKind::Other, ErrorKind::Other),
    ] {
        let client = Scripted::new(Err(HttpError::new(http, "the reason")));
        let error = request(&identity(client)).expect_err("no answer");
        assert_eq!(error.kind(), kind);
        assert!(everything(&error).contains("the reason"));
    }
}

#[test]
fn the_source_says_what_to_do_in_one_line() {
    let error = error(refused(401, "invalid_client", 7000215));
    assert!(!error.is_transient());
    assert_eq!(
        error.to_string(),
        "the identity service rejected the credentials"
    );
    let source = source(&error);
    assert_eq!(
        source.to_string(),
        "HTTP 401, invalid_client, AADSTS7000215: the client secret is wrong; give the secret's \
         value, not its id, or create a new one in the app registration (trace id \
         0b1f6471-1bf0-4dda-aec3-cb9272f09590, correlation id \
         aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee)"
    );
    assert_eq!(source.error(), Some("invalid_client"));
    assert_eq!(
        source.trace_id(),
        Some("0b1f6471-1bf0-4dda-aec3-cb9272f09590")
    );
    assert_eq!(
        source.correlation_id(),
        Some("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
    );
}

#[test]
fn codes_are_found_in_the_description_too() {
    for (text, codes) in [
        ("AADSTS7000222: expired", &[7000222][..]),
        ("AADSTS50059", &[50059]),
        ("AADSTS: nothing", &[]),
        ("AADSTS99999999999999999999: too long", &[]),
        ("see AADSTS1", &[]),
    ] {
        let body = format!(r#"{{"error":"x","error_description":"{text}"}}"#);
        let error = error(HttpResponse::new(400).with_body(body));
        assert_eq!(source(&error).codes(), codes, "{text}");
    }
}

#[test]
fn a_hostile_body_is_cut_to_size() {
    let long = "x".repeat(5000);
    let codes = vec!["1"; 5000].join(",");
    let body = format!(
        r#"{{"error":"{long}","error_codes":[-1,1.5,"x",99999999999,{codes}],"trace_id":"{long}","correlation_id":"a\r\nb"}}"#
    );
    let error = error(HttpResponse::new(400).with_body(body));
    let source = source(&error);
    assert_eq!(source.codes(), [1; 8]);
    assert_eq!(
        (source.error(), source.trace_id(), source.correlation_id()),
        (None, None, None)
    );
    assert!(everything(&error).len() < 2000);

    let huge = format!(
        r#"{{"error":"invalid_client","x":"{}"}}"#,
        "x".repeat(1 << 17)
    );
    let error = ask(HttpResponse::new(400).with_body(huge)).expect_err("no token");
    assert_eq!(error.kind(), ErrorKind::Other);
    assert!(ask(HttpResponse::new(400).with_body("[".repeat(50_000))).is_err());
}
