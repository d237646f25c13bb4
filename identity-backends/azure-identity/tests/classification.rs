//! What each error of a credential is to the manager; and that none quotes it.

mod common;

use std::env::VarError;
use std::error::Error as _;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use azure_core::error::{Error, ErrorKind as AzureKind};
use azure_core::http::headers::{Headers, RETRY_AFTER};
use azure_core::http::{RawResponse, StatusCode};
use common::*;
use redis_authx::{ErrorKind, ProviderError};
use redis_authx_azure_identity::{AzureIdentity, CredentialError};

type Makes = fn() -> Error;

/// As `azure_identity` reports it: in an error of its own.
fn wrapped(inner: Error) -> Error {
    let message = format!("ClientSecretCredential authentication failed. {inner}");
    Error::with_error(AzureKind::Credential, inner, message)
}

fn http(status: u16, codes: Option<&str>, retry_after: Option<&str>) -> Error {
    let status = StatusCode::from(status);
    let mut headers = Headers::new();
    if let Some(wait) = retry_after {
        headers.insert(RETRY_AFTER, wait.to_owned());
    }
    let raw = RawResponse::from_bytes(status, headers, "hunter2");
    let kind = AzureKind::HttpResponse {
        status,
        error_code: codes.map(str::to_owned),
        raw_response: Some(Box::new(raw)),
    };
    Error::with_message(kind, "hunter2")
}

fn io(kind: io::ErrorKind) -> Error {
    Error::from(io::Error::new(kind, "hunter2"))
}

fn diagnosed(make: impl Fn() -> Error + Send + Sync + 'static) -> ProviderError {
    let identity = AzureIdentity::new(Says::new(move || Err(make())));
    ask(&identity).expect_err("an error")
}

fn numbers(error: &ProviderError) -> (Option<u16>, Vec<u32>) {
    let source = error.source().and_then(|source| source.downcast_ref());
    let source: &CredentialError = source.expect("a CredentialError");
    (source.status(), source.codes().to_vec())
}

#[test]
fn by_what_can_be_told_of_it() {
    let cases: [(Makes, ErrorKind); 24] = [
        (|| http(429, None, None), ErrorKind::Throttled),
        (|| http(408, None, None), ErrorKind::Unavailable),
        (|| http(503, Some("7000215"), None), ErrorKind::Unavailable),
        (|| http(401, Some("7000215"), None), ErrorKind::Rejected),
        (|| http(400, Some("90033"), None), ErrorKind::Unavailable),
        (|| http(400, Some("50196"), None), ErrorKind::Throttled),
        (
            || http(400, Some("invalid_client"), None),
            ErrorKind::Rejected,
        ),
        (|| http(403, None, None), ErrorKind::Rejected),
        (|| http(404, None, None), ErrorKind::Other),
        (
            || Error::with_message(AzureKind::Connection, "hunter2"),
            ErrorKind::Unavailable,
        ),
        (
            || Error::new(AzureKind::Io, "hunter2"),
            ErrorKind::Unavailable,
        ),
        (
            || Error::new(AzureKind::Other, io::Error::other("hunter2")),
            ErrorKind::Unavailable,
        ),
        // A token's file or a tool's that is not there is no outage.
        (|| io(io::ErrorKind::NotFound), ErrorKind::Misconfigured),
        (
            || io(io::ErrorKind::PermissionDenied),
            ErrorKind::Misconfigured,
        ),
        (
            || {
                Error::new(
                    AzureKind::Credential,
                    io::Error::from(io::ErrorKind::NotFound),
                )
            },
            ErrorKind::Misconfigured,
        ),
        (
            || Error::with_error(AzureKind::Io, VarError::NotPresent, "hunter2"),
            ErrorKind::Misconfigured,
        ),
        // Unless it is the connection's.
        (
            || {
                let denied = io::Error::from(io::ErrorKind::PermissionDenied);
                Error::with_error(AzureKind::Connection, denied, "hunter2")
            },
            ErrorKind::Unavailable,
        ),
        (
            || io(io::ErrorKind::ConnectionRefused),
            ErrorKind::Unavailable,
        ),
        // Version 1.0 can't read Entra ID's real error replies.
        (
            || {
                Error::with_message(
                    AzureKind::DataConversion,
                    "invalid type: string \"AADSTS7000215: Invalid client secret. hunter2\\r\\n\", \
                     expected a borrowed string",
                )
            },
            ErrorKind::Rejected,
        ),
        (
            || Error::with_message(AzureKind::DataConversion, "\"AADSTS90033: hunter2\""),
            ErrorKind::Unavailable,
        ),
        // Nor the plain text that it throttles in.
        (
            || Error::with_message(AzureKind::DataConversion, "expected value, hunter2"),
            ErrorKind::InvalidResponse,
        ),
        (
            || Error::with_message(AzureKind::Credential, "AADSTS53003: hunter2"),
            ErrorKind::Rejected,
        ),
        (
            || Error::with_message(AzureKind::Credential, "run az login, AADSTSx hunter2"),
            ErrorKind::Other,
        ),
        (|| AzureKind::Other.into(), ErrorKind::Other),
    ];
    for (make, kind) in cases {
        for error in [diagnosed(make), diagnosed(move || wrapped(make()))] {
            assert_eq!(error.kind(), kind, "{}: {}", make(), everything(&error));
            assert!(
                !everything(&error).contains("hunter2"),
                "{}",
                everything(&error)
            );
        }
    }
}

#[test]
fn the_numbers_are_kept() {
    let error = diagnosed(|| wrapped(http(401, Some("7000215, 50000"), None)));
    assert_eq!(numbers(&error), (Some(401), vec![7_000_215, 50_000]));
    let many = "AADSTS1 AADSTS1 AADSTS2 AADSTS99999999999 ".repeat(100_000);
    let error = diagnosed(move || Error::with_message(AzureKind::Credential, many.clone()));
    assert_eq!(numbers(&error), (None, vec![1, 2]));
    let text = everything(&error);
    assert!(
        text.contains("AADSTS1, AADSTS2") && text.len() < 2000,
        "{text}"
    );
}

#[test]
fn the_server_is_left_alone_as_long_as_it_asks() {
    let wait =
        |status, text| diagnosed(move || wrapped(http(status, None, Some(text)))).retry_after();
    assert_eq!(wait(429, "7"), Some(Duration::from_secs(7)));
    assert_eq!(wait(503, " 60 "), Some(Duration::from_secs(60)));
    assert_eq!(
        wait(429, "18446744073709551615"),
        Some(Duration::from_secs(3600))
    );
    assert_eq!(wait(429, "soon"), None);
    assert_eq!(wait(401, "7"), None);
}

#[test]
fn whoever_asks_for_it_sees_the_whole_error() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let credential = Says::new(|| Err(http(401, None, None)));
    let identity = AzureIdentity::builder(credential)
        .inspect_error(move |error| keep.lock().expect("no panic").push(error.to_string()))
        .build()
        .expect("good settings");
    ask(&identity).expect_err("refused");
    assert_eq!(*seen.lock().expect("no panic"), ["hunter2"]);
    assert!(!format!("{identity:?}{identity:#?}").contains("hunter2"));
}
