//! Every vector of `data/jwt.json`, and what they leave out.
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use redis_authx::jwt::{ClaimError, Claims};
use serde_json::Value;

fn jwt(payload: &str) -> String {
    format!(
        "eyJhbGciOiJub25lIn0.{}.c2ln",
        URL_SAFE_NO_PAD.encode(payload)
    )
}

/// What an identity reads of a token.
fn read(token: &str) -> Result<(String, SystemTime), ClaimError> {
    let claims = Claims::parse(token)?;
    Ok((claims.oid()?.to_owned(), claims.exp()?))
}

fn seconds(at: SystemTime) -> u64 {
    let since = at.duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

#[test]
fn every_vector() {
    let file: Value = serde_json::from_str(include_str!("../data/jwt.json")).expect("test data");
    let cases = file["cases"].as_array().expect("cases");
    assert_eq!(cases.len(), 24);
    for case in cases {
        let name = case["name"].as_str().expect("a name");
        let token = case["token"].as_str().expect("a token");
        let claim = || case["claim"].as_str().expect("a claim").to_owned();
        match case["error"].as_str() {
            None => {
                let (oid, exp) = read(token).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(Some(&*oid), case["oid"].as_str(), "{name}");
                assert_eq!(Some(seconds(exp)), case["exp"].as_u64(), "{name}");
                if let Some(iat) = case["iat"].as_u64() {
                    let claims = Claims::parse(token).expect("just read");
                    assert_eq!(claims.iat().map(seconds), Ok(iat), "{name}");
                }
            }
            Some(kind) => {
                let error = read(token).expect_err(name);
                let wanted = match kind {
                    "malformed" => ClaimError::Malformed,
                    "missing_claim" => ClaimError::MissingClaim(claim().into()),
                    "invalid_claim" => ClaimError::InvalidClaim(claim().into()),
                    other => panic!("{name}: unknown error {other}"),
                };
                assert_eq!(error, wanted, "{name}");
                for part in token.split('.').filter(|part| part.len() > 3) {
                    assert!(!format!("{error} {error:?}").contains(part), "{name}");
                }
            }
        }
    }
}

#[test]
fn claims_by_name() {
    let claims = Claims::parse(&jwt(
        r#"{"tid":"t","appid":"a","n":1,"o":{"x":"y"},"s":"two words","z":""}"#,
    ))
    .expect("a token");
    assert_eq!(claims.tid(), Ok("t"));
    assert_eq!(claims.get("appid"), Some("a"));
    assert_eq!(claims.get("s"), Some("two words"));
    assert_eq!(claims.get("z"), Some(""));
    for none in ["n", "o", "x", "absent", ""] {
        assert_eq!(claims.get(none), None, "{none}");
    }
    assert_eq!(
        claims.name("absent"),
        Err(ClaimError::MissingClaim("absent".into()))
    );
    for bad in ["n", "o", "s", "z"] {
        assert_eq!(claims.name(bad), Err(ClaimError::InvalidClaim(bad.into())));
    }
    let debug = format!("{claims:?}");
    assert!(
        debug.contains("appid") && !debug.contains("two words"),
        "{debug}"
    );
}

#[test]
fn padding_is_accepted() {
    for payload in [r#"{"oid":"a"}"#, r#"{"oid":"ab"}"#, r#"{"oid":"abc"}"#] {
        let token = format!("e30.{}.", URL_SAFE.encode(payload));
        assert!(Claims::parse(&token).expect(payload).oid().is_ok());
    }
}

#[test]
fn dates_at_the_edges() {
    let exp = |value: &str| Claims::parse(&jwt(&format!(r#"{{"exp":{value}}}"#)))?.exp();
    let at = |duration| Ok(SystemTime::UNIX_EPOCH + duration);
    assert_eq!(exp("0"), at(Duration::ZERO));
    assert_eq!(exp("1.5"), at(Duration::from_millis(1500)));
    assert_eq!(
        exp("253402300799"),
        at(Duration::from_secs(253_402_300_799))
    );
    let invalid = Err(ClaimError::InvalidClaim("exp".into()));
    for value in [
        "253402300800",
        "-0.1",
        "18446744073709551615",
        "null",
        "true",
        "[]",
    ] {
        assert_eq!(exp(value), invalid, "{value}");
    }
    assert_eq!(exp("1e999"), Err(ClaimError::Malformed));
}

#[test]
fn deep_and_long_payloads_are_refused_not_followed() {
    for payload in [
        "[".repeat(100_000),
        r#"{"a":"#.repeat(10_000),
        "{".repeat(9),
    ] {
        assert!(matches!(
            Claims::parse(&jwt(&payload)),
            Err(ClaimError::Malformed)
        ));
    }
    let dots = ".".repeat(1_000_000);
    assert!(matches!(Claims::parse(&dots), Err(ClaimError::Malformed)));
}
