//! From the credential's token to Redis's.

mod common;

use std::sync::Arc;

use common::*;
use redis_authx::ErrorKind;
use redis_authx::jwt::ClaimError;
use redis_authx_azure_identity::AzureIdentity;

const EXP: i64 = 1_760_003_600;

fn payload() -> String {
    jwt(&format!(
        r#"{{"oid":"{OID}","exp":{EXP},"upn":"me@contoso.com"}}"#
    ))
}

#[test]
fn the_object_id_and_the_token_log_in() {
    let credential = Says::token(&payload(), EXP);
    let identity = AzureIdentity::new(Arc::<Says>::clone(&credential));
    let token = ask(&identity).expect("a token");
    assert_eq!((token.username(), token.password()), (OID, &*payload()));
    assert_eq!(token.expiry().map(epoch), u64::try_from(EXP).ok());
    let scopes = credential.scopes.lock().expect("no test panicked");
    assert_eq!(*scopes, ["https://redis.azure.com/.default"]);
}

#[test]
fn scope_and_user_name_can_be_others() {
    let credential = Says::token(&payload(), EXP);
    let by_claim = AzureIdentity::builder(Arc::<Says>::clone(&credential))
        .scope("api://other/.default")
        .username_claim("upn")
        .build()
        .expect("good settings");
    assert_eq!(
        ask(&by_claim).expect("a token").username(),
        "me@contoso.com"
    );
    assert_eq!(
        *credential.scopes.lock().expect("no panic"),
        ["api://other/.default"]
    );

    let mapped = AzureIdentity::builder(credential)
        .username(|claims| Ok(format!("app-{}", claims.oid()?)))
        .build()
        .expect("good settings");
    assert_eq!(
        ask(&mapped).expect("a token").username(),
        format!("app-{OID}")
    );
}

#[test]
fn the_earlier_expiry_counts() {
    let expiry = |text: &str, stated| {
        let token = ask(&AzureIdentity::new(Says::token(text, stated)));
        token.expect("a token").expiry().map(epoch)
    };
    let exp = u64::try_from(EXP).ok();
    assert_eq!(expiry(&payload(), EXP + 100), exp);
    assert_eq!(expiry(&payload(), EXP - 100), exp.map(|exp| exp - 100));
    let without = jwt(&format!(r#"{{"oid":"{OID}"}}"#));
    assert_eq!(expiry(&without, EXP), exp);
    // Long expired, which the manager sees.
    assert_eq!(expiry(&without, -1), Some(0));
}

#[test]
fn a_token_that_can_not_log_in_is_an_invalid_response() {
    let malformed = ClaimError::Malformed;
    let missing = ClaimError::MissingClaim("oid".into());
    let invalid = ClaimError::InvalidClaim("exp".into());
    for (text, expected) in [
        ("", malformed.clone()),
        ("opaque", malformed),
        (&jwt(r#"{"exp":1760003600}"#), missing),
        (&jwt(r#"{"oid":"a","exp":"soon"}"#), invalid),
    ] {
        let error = ask(&AzureIdentity::new(Says::token(text, EXP))).expect_err("no user");
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{text}");
        let source = std::error::Error::source(&error);
        let source = source.and_then(|source| source.downcast_ref::<ClaimError>());
        assert_eq!(source, Some(&expected), "{text}");
    }
}

#[test]
fn bad_settings_are_refused() {
    let builder = || AzureIdentity::builder(Says::token("", EXP));
    for scope in ["", "two scopes", "a\n"] {
        let error = builder().scope(scope).build().expect_err("a bad scope");
        assert_eq!(error.field(), "scope");
    }
    let error = builder().username_claim(" ").build().expect_err("blank");
    assert_eq!(error.field(), "username_claim");
}
