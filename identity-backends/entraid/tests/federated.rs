//! Signing in by a token of another issuer: from a function, or from a file.

mod common;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use redis_authx::{ErrorKind, ProviderError};
use redis_authx_entraid::{Authority, ClientAssertion, EntraIdentity, WorkloadIdentity};

fn http() -> Scripted {
    Scripted::new(Ok(token_reply(&access_token(3600), 3599)))
}

fn sent(http: &Scripted) -> Vec<String> {
    let requests = http.requests();
    let bodies = requests.iter().map(|sent| sent.body().to_vec());
    bodies
        .map(|body| String::from_utf8(body).expect("ASCII"))
        .collect()
}

fn by_function<F>(answer: F) -> (EntraIdentity, Scripted)
where
    F: Fn() -> Result<String, ProviderError> + Send + Sync + 'static,
{
    let http = http();
    let identity = ClientAssertion::new(CLIENT_ID, move || std::future::ready(answer()))
        .authority(Authority::tenant("contoso.com"))
        .http_client(http.clone())
        .build();
    (identity.expect("a good configuration"), http)
}

/// A token file of one test, removed at its end.
struct TokenFile(PathBuf);

impl TokenFile {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("authx-{}-{name}", std::process::id())))
    }

    fn write(&self, content: impl AsRef<[u8]>) {
        std::fs::write(&self.0, content).expect("written");
    }

    fn identity(&self) -> (EntraIdentity, Scripted) {
        let http = http();
        let identity = WorkloadIdentity::new()
            .client_id(CLIENT_ID)
            .token_file(&self.0)
            .authority(Authority::tenant("contoso.com"))
            .http_client(http.clone())
            .build();
        (identity.expect("a good configuration"), http)
    }
}

impl Drop for TokenFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_request_is_the_documented_form() {
    let (identity, http) = by_function(|| Ok(" e30.e30.c2ln\n".to_owned()));
    let token = request(&identity).expect("a token");
    assert_eq!(token.username(), OID);
    let form = format!(
        "client_id={CLIENT_ID}\
         &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &client_assertion=e30.e30.c2ln\
         &grant_type=client_credentials\
         &scope=https%3A%2F%2Fredis.azure.com%2F.default"
    );
    assert_eq!(sent(&http), std::slice::from_ref(&form));

    let file = TokenFile::new("form");
    file.write("e30.e30.c2ln\r\n");
    let (identity, http) = file.identity();
    request(&identity).expect("a token");
    assert_eq!(sent(&http), [form]);
}

#[test]
fn the_function_is_called_for_each_request() {
    let calls = AtomicUsize::new(0);
    let (identity, http) =
        by_function(move || Ok(format!("a.b.n{}", calls.fetch_add(1, Ordering::Relaxed))));
    for _ in 0..3 {
        request(&identity).expect("a token");
    }
    for (call, form) in sent(&http).iter().enumerate() {
        assert!(form.contains(&format!("=a.b.n{call}&")), "{form}");
    }
}

#[test]
fn the_functions_error_is_the_requests() {
    let (identity, http) = by_function(|| Err(ProviderError::throttled("the broker is busy")));
    let error = request(&identity).expect_err("no assertion");
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(everything(&error).contains("the broker is busy"));
    assert!(sent(&http).is_empty());
}

#[test]
fn what_is_no_jwt_is_not_sent() {
    for bad in [
        "",
        " \n",
        "hunter2",
        "a.b",
        "a.b.hunter2 x",
        &"x".repeat(70_000),
    ] {
        let owned = bad.to_owned();
        let (identity, http) = by_function(move || Ok(owned.clone()));
        let error = request(&identity).expect_err("no assertion");
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(everything(&error).contains("a function that returned"));
        assert!(!everything(&error).contains("hunter2"));
        assert!(sent(&http).is_empty());
    }
}

#[test]
fn the_file_is_read_for_each_request() {
    let file = TokenFile::new("each");
    let (identity, http) = file.identity();
    for token in ["a.b.c", "d.e.f", "a.b.c"] {
        file.write(token);
        request(&identity).expect("a token");
    }
    let tokens: Vec<_> = sent(&http)
        .iter()
        .map(|form| form.split('&').nth(2).expect("three fields").to_owned())
        .collect();
    assert_eq!(
        tokens,
        ["a.b.c", "d.e.f", "a.b.c"].map(|jwt| format!("client_assertion={jwt}"))
    );
}

#[test]
fn a_bad_file_is_named_and_nothing_sent() {
    use ErrorKind::{Misconfigured, Other};

    let file = TokenFile::new("bad");
    let (identity, http) = file.identity();
    let check = |kind, says| {
        let error = request(&identity).expect_err(says);
        assert_eq!(error.kind(), kind, "{says}");
        let shown = everything(&error);
        assert!(shown.contains(says), "{says}: {shown}");
        assert!(shown.contains(file.0.to_str().expect("UTF-8")), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    };
    check(Misconfigured, "can't be read");
    for empty in ["", "\n"] {
        file.write(empty);
        check(Other, "which holds nothing");
    }
    for text in [b"hunter2".as_slice(), b"a.hunter2", b"\xff\xfe.hunter2.x"] {
        file.write(text);
        check(Other, "which holds no JWT");
    }
    file.write("x".repeat(65 * 1024));
    check(Misconfigured, "longer than 65536 bytes");
    assert!(sent(&http).is_empty());

    file.write("a.b.c");
    request(&identity).expect("mended");
}

#[test]
fn nothing_shows_the_assertion() {
    let file = TokenFile::new("secret");
    file.write("aaaa.hunter2.bbbb");
    let (by_file, file_http) = file.identity();
    let (by_function, function_http) = by_function(|| Ok("aaaa.hunter2.bbbb".to_owned()));
    for (identity, http) in [(by_file, file_http), (by_function, function_http)] {
        request(&identity).expect("a token");
        let shown = format!("{identity:?}{identity:#?}{:?}", http.requests());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn settings_are_checked() {
    let of = |client: &str| ClientAssertion::new(client, || async { Ok(String::new()) });
    let tenant = Authority::tenant("t");
    for (builder, field) in [
        (of(CLIENT_ID), "authority"),
        (of("a b").authority(tenant.clone()), "client_id"),
        (of(CLIENT_ID).authority(tenant).scope(""), "scope"),
    ] {
        assert_eq!(builder.build().expect_err("wrong").field(), field);
    }
}
