//! What is sent.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use redis_authx_entraid::AssertionAlgorithm;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::json;

use crate::common::*;
use crate::made::*;

#[test]
fn the_request_is_the_documented_form() {
    let (identity, http) = served(from_pem(good()));
    let token = request(&identity).expect("a token");
    assert_eq!(token.username(), OID);

    let sent = &http.requests()[0];
    assert_eq!(
        sent.url(),
        "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
    );
    let assertion = Assertion::of(sent);
    assert_eq!(
        std::str::from_utf8(sent.body()).expect("ASCII"),
        format!(
            "client_id={CLIENT_ID}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
             &client_assertion={}\
             &grant_type=client_credentials\
             &scope=https%3A%2F%2Fredis.azure.com%2F.default",
            assertion.jwt
        )
    );
}

#[test]
fn by_default_it_is_ps256_with_the_sha256_thumbprint() {
    let (identity, http) = served(from_pem(good()));
    request(&identity).expect("a token");
    let assertion = Assertion::of(&http.requests()[0]);
    let thumbprint = x5t_s256(CERTIFICATE_1);
    assert_eq!(
        assertion.header,
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint })
    );
    assert!(assertion.is_signed_by(KEY_1));
    assert!(!assertion.is_signed_by(KEY_2));
}

#[test]
fn rs256_names_the_certificate_by_sha1() {
    let (identity, http) = served(from_pem(good()).algorithm(AssertionAlgorithm::Rs256));
    request(&identity).expect("a token");
    let assertion = Assertion::of(&http.requests()[0]);
    let thumbprint = digest(&SHA1_FOR_LEGACY_USE_ONLY, &der(CERTIFICATE_1));
    let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint);
    assert_eq!(
        assertion.header,
        json!({ "alg": "RS256", "typ": "JWT", "x5t": thumbprint })
    );
    assert!(assertion.is_signed_by(KEY_1));
}

#[test]
fn its_claims_are_for_this_client_and_endpoint_and_ten_minutes() {
    let (identity, http) = served(from_pem(good()));
    let now = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.expect("after 1970").as_secs()
    };
    let before = now();
    request(&identity).expect("a token");
    let after = now();
    let sent = &http.requests()[0];
    let claims = Assertion::of(sent).claims;
    let issued = claims["iat"].as_u64().expect("a whole number");
    assert!((before..=after).contains(&issued));
    assert_eq!(
        claims,
        json!({
            "aud": sent.url(),
            "exp": issued + 600,
            "iat": issued,
            "iss": CLIENT_ID,
            "jti": claims["jti"],
            "nbf": issued,
            "sub": CLIENT_ID,
        })
    );
}

#[test]
fn no_two_have_the_same_id() {
    let (identity, http) = served(from_pem(good()));
    for _ in 0..20 {
        request(&identity).expect("a token");
    }
    let ids: HashSet<_> = http
        .requests()
        .iter()
        .map(|sent| {
            Assertion::of(sent).claims["jti"]
                .as_str()
                .expect("a text")
                .to_owned()
        })
        .collect();
    assert_eq!(ids.len(), 20);
    for id in ids {
        let groups: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
}

#[test]
fn the_chain_goes_along_if_wanted_own_certificate_first() {
    let ca = certificate_pem(KEY_2, -DAY, DAY);
    let (identity, http) = served(from_pem(ca.clone() + &good()).send_certificate_chain(true));
    request(&identity).expect("a token");
    let chain = &Assertion::of(&http.requests()[0]).header["x5c"];
    let expected = [CERTIFICATE_1, &ca].map(|pem| STANDARD.encode(der(pem)));
    assert_eq!(*chain, json!(expected));
}

#[test]
fn nothing_shows_the_key_or_an_assertion() {
    let builder = from_pem(good());
    let mut shown = format!("{builder:?}{builder:#?}");
    let http = Scripted::new(Ok(redis_authx_entraid::HttpResponse::new(401)));
    let identity = builder.http_client(http.clone()).build().expect("good");
    shown += &everything(&request(&identity).expect_err("refused"));
    shown += &format!("{identity:?}{identity:#?}{:?}", http.requests());
    assert!(shown.contains(&thumbprint(CERTIFICATE_1)), "{shown}");

    let key = STANDARD.encode(KEY_1);
    let jwt = Assertion::of(&http.requests()[0]).jwt;
    for secret in [&key[200..240], &jwt[..40], &jwt[jwt.len() - 40..]] {
        assert!(!shown.contains(secret), "{shown}");
    }
    // And not as a list of bytes either.
    assert!(!shown.contains(&format!("{:?}", &KEY_1[100..110])[1..30]));
}
