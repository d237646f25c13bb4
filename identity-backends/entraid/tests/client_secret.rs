//! From the request's bytes to the token.

mod common;

use std::time::Duration;

use common::*;
use redis_authx::{ErrorKind, SessionRule};
use redis_authx_entraid::{
    Authority, ClaimError, Claims, EntraError, HttpMethod, HttpResponse, REDIS_SCOPE_APP_ID,
};

#[test]
fn the_request_is_the_documented_form() {
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
    request(&identity(http.clone())).expect("a token");

    let [request] = &http.requests()[..] else {
        panic!("one request")
    };
    assert_eq!(request.method(), HttpMethod::Post);
    assert_eq!(
        request.url(),
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
    );
    let headers: Vec<_> = request.headers().collect();
    assert_eq!(
        headers,
        [
            ("accept", "application/json"),
            ("content-type", "application/x-www-form-urlencoded")
        ]
    );
    assert_eq!(
        std::str::from_utf8(request.body()),
        Ok("client_id=8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11\
            &client_secret=hunter2%7E%26%3D%2B+%25secret\
            &grant_type=client_credentials\
            &scope=https%3A%2F%2Fredis.azure.com%2F.default")
    );
}

#[test]
fn another_authority_and_scope() {
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
    let identity = builder()
        .authority(Authority::custom("https://localhost:8443/t/"))
        .scope(REDIS_SCOPE_APP_ID)
        .http_client(http.clone())
        .build()
        .expect("a good configuration");
    request(&identity).expect("a token");
    let sent = &http.requests()[0];
    assert_eq!(sent.url(), "https://localhost:8443/t/oauth2/v2.0/token");
    assert!(
        sent.body()
            .ends_with(b"&scope=acca5fbb-b7e4-4009-81f1-37e38fd66d78%2F.default")
    );
}

#[test]
fn the_token_is_the_oid_and_the_access_token() {
    let access_token = access_token(3600);
    let token = ask(token_reply(&access_token, 3599)).expect("a token");
    assert_eq!(token.username(), OID);
    assert_eq!(token.password(), access_token);
    assert_eq!(token.session_rule(), SessionRule::EndsWithToken);
    assert_eq!(left(&token), Duration::from_secs(3599));
}

#[test]
fn the_expiry_is_the_earlier_of_both() {
    let token = ask(token_reply(&access_token(600), 3599)).expect("a token");
    assert!((595..=600).contains(&left(&token).as_secs()));
    let body = format!(r#"{{"access_token":"{}"}}"#, access_token(600));
    let token = ask(HttpResponse::new(200).with_body(body)).expect("a token");
    assert!((595..=600).contains(&left(&token).as_secs()));
}

#[test]
fn a_token_that_has_expired_is_an_error_whatever_expires_in_says() {
    for reply in [
        token_reply(&access_token(-1), 3599),
        token_reply(&access_token(3600), 0),
        token_reply(&jwt(&format!(r#"{{"oid":"{OID}","exp":0}}"#)), u64::MAX),
    ] {
        let error = ask(reply).expect_err("an expired token");
        assert_eq!(error.kind(), ErrorKind::Expired);
        assert!(everything(&error).contains("clock"));
    }
}

#[test]
fn the_date_header_stands_in_for_a_wrong_clock() {
    // 2025-10-09T08:53:20Z, long past for the machine that runs this.
    let jwt = jwt(&format!(r#"{{"oid":"{OID}","exp":1760003600}}"#));
    let date = |date| token_reply(&jwt, 7200).with_header("Date", date);
    let token = ask(date("Thu, 09 Oct 2025 08:53:20 GMT")).expect("a token");
    assert_eq!(left(&token), Duration::from_secs(3599));
    let error = ask(date("Thu, 09 Oct 2025 09:53:20 GMT")).expect_err("expired by then");
    assert_eq!(error.kind(), ErrorKind::Expired);
}

#[test]
fn the_user_name_can_come_from_elsewhere() {
    let named = |builder: redis_authx_entraid::ClientSecret| {
        let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
        let identity = builder
            .http_client(http)
            .build()
            .expect("a good configuration");
        request(&identity).map(|token| token.username().to_owned())
    };
    assert_eq!(
        named(builder().username_claim("upn")).expect("a token"),
        "app@contoso.com"
    );
    let upper = |claims: &Claims| Ok(claims.oid()?.to_uppercase());
    assert_eq!(
        named(builder().username(upper)).expect("a token"),
        OID.to_uppercase()
    );

    let errors = [
        (named(builder().username_claim("appid")), "`appid`"),
        (named(builder().username_claim("exp")), "`exp`"),
        (
            named(builder().username(|_| Err(ClaimError::MissingClaim("x".into())))),
            "`x`",
        ),
        (
            named(builder().username(|_| Ok("a\r\nb".into()))),
            "`username`",
        ),
        (
            named(builder().username(|_| Ok(String::new()))),
            "`username`",
        ),
    ];
    for (result, claim) in errors {
        let error = result.expect_err(claim);
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(everything(&error).contains(claim), "{claim}");
    }
}

#[test]
fn a_reply_that_is_of_no_use_says_why() {
    let token = access_token(3600);
    let long = format!(
        r#"{{"access_token":"{token}","x":"{}"}}"#,
        "x".repeat(1 << 20)
    );
    let no_oid = format!(r#"{{"access_token":"{}"}}"#, jwt(r#"{"exp":1}"#));
    for (body, reason) in [
        ("", "empty"),
        ("<html>", "JSON"),
        ("{}", "access_token"),
        (r#"{"access_token":"opaque"}"#, "JWT"),
        (no_oid.as_str(), "`oid`"),
        (long.as_str(), "too long"),
    ] {
        let error = ask(HttpResponse::new(200).with_body(body)).expect_err(reason);
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(everything(&error).contains(reason), "{reason}");
    }
}

#[test]
fn everything_crosses_threads() {
    fn crosses<T: Send + Sync + 'static>() {}
    crosses::<redis_authx_entraid::EntraIdentity>();
    crosses::<redis_authx_entraid::ClientSecret>();
    crosses::<redis_authx_entraid::UreqClient>();
    crosses::<EntraError>();
    crosses::<Claims>();
}
