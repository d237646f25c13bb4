//! How the answers of managed identities' endpoints are read.

mod common;
mod places;

use std::time::Duration;

use common::*;
use places::every_source;
use redis_authx::ErrorKind::{
    self, InvalidResponse, Misconfigured, Other, Rejected, Throttled, Timeout, Unavailable,
};
use redis_authx::{ProviderError, Token};
use redis_authx_entraid::{
    HttpError, HttpErrorKind, HttpResponse, ManagedIdentity, ManagedIdentitySource as Source,
};

fn asked(source: Source, answer: Result<HttpResponse, HttpError>) -> Result<Token, ProviderError> {
    let identity = ManagedIdentity::system_assigned()
        .source(source)
        .environment(|name| match name {
            "IDENTITY_ENDPOINT" | "MSI_ENDPOINT" => Some("https://host.invalid/token".into()),
            "IDENTITY_HEADER" | "MSI_SECRET" => Some(SECRET.into()),
            "IDENTITY_SERVER_THUMBPRINT" => Some("00".repeat(20)),
            _ => None,
        })
        .http_client(Scripted::new(answer))
        .build()
        .expect("a good configuration");
    request(&identity)
}

fn error(source: Source, status: u16, body: &str) -> ProviderError {
    let answer = HttpResponse::new(status).with_body(body);
    asked(source, Ok(answer)).expect_err("no token in it")
}

fn token(source: Source, body: String) -> Result<Token, ProviderError> {
    asked(source, Ok(HttpResponse::new(200).with_body(body)))
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

#[test]
fn replies_with_strings_integers_dates_or_nothing() {
    let access_token = access_token(3600);
    let end = now() + 600;
    for (fields, seconds) in [
        (r#""expires_in":"1200""#.to_owned(), 1200),
        (r#""expires_in":1200"#.to_owned(), 1200),
        (format!(r#""expires_on":"{end}""#), 600),
        (format!(r#""expires_on":{end}"#), 600),
        // The earlier counts, whatever the order.
        (format!(r#""expires_on":"{end}","expires_in":"1200""#), 600),
        (format!(r#""expires_in":"300","expires_on":"{end}""#), 300),
        (format!(r#""expires_on":"{}""#, end + 86_400), 3600),
        // The token says it itself.
        (
            r#""expires_on":"9/14/2027 12:00:00 AM +00:00""#.to_owned(),
            3600,
        ),
        (r#""expires_on":null,"expires_in":"""#.to_owned(), 3600),
        (r#""x":"y""#.to_owned(), 3600),
    ] {
        for source in every_source() {
            let body = format!(
                r#"{{"access_token":"{access_token}","refresh_token":"",{fields},"not_before":"1","resource":"https://redis.azure.com/","token_type":"Bearer"}}"#
            );
            let token = token(source, body).expect("a token");
            assert_eq!(token.username(), OID);
            assert_eq!(token.password(), access_token);
            let left = left(&token).as_secs_f64();
            assert!(
                (f64::from(seconds) - 5.0..=f64::from(seconds)).contains(&left),
                "{fields}"
            );
        }
    }
}

#[test]
fn replies_of_no_use() {
    for (kind, body) in [
        (InvalidResponse, String::new()),
        (InvalidResponse, "{}".to_owned()),
        (InvalidResponse, r#"{"access_token":""}"#.to_owned()),
        (InvalidResponse, r#"{"access_token":"hunter2"}"#.to_owned()),
        (
            InvalidResponse,
            "x".repeat(redis_authx_entraid::MAX_RESPONSE_BODY + 1),
        ),
        (
            ErrorKind::Expired,
            format!(r#"{{"access_token":"{}"}}"#, access_token(-1)),
        ),
        (
            ErrorKind::Expired,
            format!(
                r#"{{"access_token":"{}","expires_on":"{}"}}"#,
                access_token(60),
                now() - 1
            ),
        ),
    ] {
        for source in every_source() {
            let error = token(source, body.clone()).expect_err("no usable token");
            assert_eq!(error.kind(), kind, "{source:?} {:.80}", body);
            assert!(!everything(&error).contains("hunter2"));
        }
    }
}

/// By status alone; the bodies are empty.
#[test]
fn statuses_by_source() {
    for source in every_source() {
        let vm = source == Source::VirtualMachine;
        let agent = vm || source == Source::AzureArc;
        for (status, kind, wait) in [
            (301, InvalidResponse, None),
            (204, InvalidResponse, None),
            (400, Misconfigured, None),
            (403, Rejected, None),
            (
                404,
                if agent { Unavailable } else { Misconfigured },
                vm.then_some(2),
            ),
            (405, Misconfigured, None),
            (408, Unavailable, None),
            (410, Unavailable, Some(10)),
            (418, Other, None),
            (429, Throttled, vm.then_some(2)),
            (500, Unavailable, Some(1)),
            (503, Unavailable, Some(1)),
            (599, Unavailable, Some(1)),
        ] {
            let error = error(source, status, "");
            assert_eq!(error.kind(), kind, "{source:?} {status}");
            assert_eq!(
                error.retry_after(),
                wait.map(Duration::from_secs),
                "{source:?} {status}"
            );
        }
        let kind = match source {
            // A challenge that names no file.
            Source::AzureArc => InvalidResponse,
            _ => Rejected,
        };
        assert_eq!(error(source, 401, "").kind(), kind);
    }
}

#[test]
fn the_servers_own_wait_counts_if_it_is_longer() {
    for (status, header, seconds) in [
        (429, "7", 7),
        (410, "3", 10),
        (410, "30", 30),
        (503, "0", 1),
    ] {
        let answer = HttpResponse::new(status).with_header("Retry-After", header);
        let error = asked(Source::VirtualMachine, Ok(answer)).expect_err("no token");
        assert_eq!(
            error.retry_after(),
            Some(Duration::from_secs(seconds)),
            "{status}"
        );
    }
}

#[test]
fn words_of_imds_and_of_the_others() {
    let imds = |word: &str| format!(r#"{{"error":"{word}","error_description":"hunter2"}}"#);
    let fabric = |code: &str| {
        format!(r#"{{"error":{{"correlationId":"x","code":"{code}","message":"hunter2"}}}}"#)
    };
    for (source, status, body, kind, shown) in [
        (
            Source::VirtualMachine,
            400,
            imds("invalid_request"),
            Misconfigured,
            "assign it in Azure",
        ),
        (
            Source::VirtualMachine,
            400,
            imds("bad_request_102"),
            Misconfigured,
            "bad_request_102",
        ),
        (
            Source::VirtualMachine,
            400,
            imds("invalid_resource"),
            Misconfigured,
            "scope",
        ),
        (
            Source::VirtualMachine,
            401,
            imds("unknown_source"),
            Misconfigured,
            "unknown_source",
        ),
        (
            Source::VirtualMachine,
            400,
            imds("unauthorized_client"),
            Rejected,
            "unauthorized_client",
        ),
        (
            Source::VirtualMachine,
            403,
            imds("access_denied"),
            Rejected,
            "access_denied",
        ),
        (
            Source::VirtualMachine,
            500,
            imds("unknown"),
            Unavailable,
            "unknown",
        ),
        (
            Source::VirtualMachine,
            400,
            imds("Hunter2"),
            Misconfigured,
            "HTTP 400:",
        ),
        (
            Source::VirtualMachine,
            400,
            r#"{"error":"invalid_request","error_description":"AADSTS500011: hunter2"}"#.to_owned(),
            Misconfigured,
            "AADSTS500011",
        ),
        (
            Source::AppService,
            400,
            r#"{"statusCode":400,"message":"No Managed Identity found for hunter2"}"#.to_owned(),
            Misconfigured,
            "assign it in Azure",
        ),
        (
            Source::AppService,
            401,
            String::new(),
            Rejected,
            "the secret",
        ),
        (
            Source::ServiceFabric,
            404,
            fabric("ManagedIdentityNotFound"),
            Misconfigured,
            "ManagedIdentityNotFound",
        ),
        (
            Source::ServiceFabric,
            400,
            fabric("SecretHeaderNotFound"),
            Rejected,
            "SecretHeaderNotFound",
        ),
        (
            Source::ServiceFabric,
            400,
            fabric("ArgumentNullOrEmpty"),
            Misconfigured,
            "ArgumentNullOrEmpty",
        ),
        (
            Source::ServiceFabric,
            400,
            fabric("InvalidApiVersion"),
            Misconfigured,
            "InvalidApiVersion",
        ),
        (
            Source::ServiceFabric,
            500,
            fabric("InternalServerError"),
            Unavailable,
            "InternalServerError",
        ),
        (
            Source::ServiceFabric,
            404,
            fabric("hunter2"),
            Misconfigured,
            "assign it in Azure",
        ),
    ] {
        let error = error(source, status, &body);
        assert_eq!(error.kind(), kind, "{body}");
        let all = everything(&error);
        assert!(all.contains(shown), "{shown} in {all}");
        assert!(!all.to_lowercase().contains("hunter2"), "{all}");
    }
}

#[test]
fn no_answer_says_what_to_look_at() {
    for source in every_source() {
        for (cause, kind) in [
            (HttpErrorKind::Connect, Unavailable),
            (HttpErrorKind::Tls, Unavailable),
            (HttpErrorKind::Timeout, Timeout),
            (HttpErrorKind::Other, Other),
        ] {
            let cause = HttpError::new(cause, "the cause itself");
            let error = asked(source, Err(cause)).expect_err("no answer");
            assert_eq!(error.kind(), kind);
            let all = everything(&error);
            let advice = match source {
                Source::VirtualMachine => "virtual machines",
                Source::AzureArc => "azcmagent",
                _ => "left over",
            };
            assert!(
                all.contains(advice) && all.contains("the cause itself"),
                "{all}"
            );
            let source = std::error::Error::source(&error).expect("a source");
            assert!(source.is::<HttpError>());
        }
    }
}
