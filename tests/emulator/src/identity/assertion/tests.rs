#![allow(clippy::unwrap_used)]

use std::time::Duration;

use axum::http::HeaderMap;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD},
};
use ring::{
    digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair},
};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, pem::PemObject};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::*;
use crate::{AppCertificate, identity::grant};

const CLIENT: &str = "c-1";

/// The identity side with one certificate, strict or not.
struct Bed {
    state: IdentityState,
    certificate: AppCertificate,
    der: Vec<u8>,
}

impl Bed {
    fn new(strict: bool) -> Self {
        let mut state = IdentityState::for_tests("t-1", CLIENT, "secret");
        state.strict_assertions = strict;
        let certificate = AppCertificate::generate().unwrap();
        let pem = certificate.certificate_pem();
        state.control.register_certificate(pem).unwrap();
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
        Self {
            state,
            der: der.to_vec(),
            certificate,
        }
    }

    fn sha256(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, &self.der))
    }

    /// As the document has it.
    fn header(&self) -> Value {
        json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.sha256() })
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let key = self.certificate.private_key_pem().as_bytes();
        let key = PrivatePkcs8KeyDer::from_pem_slice(key).unwrap();
        let pair = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
        let encoding: &dyn RsaEncoding = match header["alg"].as_str() {
            Some("RS256") => &RSA_PKCS1_SHA256,
            _ => &RSA_PSS_SHA256,
        };
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let mut signature = vec![0; pair.public().modulus_len()];
        let random = SystemRandom::new();
        pair.sign(encoding, &random, signed.as_bytes(), &mut signature)
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn judge(&self, assertion: &str) -> String {
        self.judge_form(&[
            ("client_id", CLIENT),
            ("client_assertion_type", TYPE),
            ("client_assertion", assertion),
        ])
    }

    /// "good", or the number of the refusal.
    fn judge_form(&self, fields: &[(&str, &str)]) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials")
            .append_pair("scope", "https://redis.azure.com/.default")
            .extend_pairs(fields);
        let form = Form::read(&HeaderMap::new(), form.finish().as_bytes());
        let Err(refusal) = grant::judge(&self.state, "t-1", &form) else {
            return "good".to_owned();
        };
        let text = format!("{refusal:?}");
        let (_, rest) = text.split_once("code: ").unwrap();
        rest.split(',').next().unwrap().to_owned()
    }

    fn judge_parts(&self, header: &Value, claims: &Value) -> String {
        self.judge(&self.sign(header, claims))
    }
}

fn with(mut value: Value, name: &str, field: Value) -> Value {
    value[name] = field;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

/// As the document has them.
fn claims() -> Value {
    let now = clock::unix_now() as u64;
    json!({
        "aud": "https://localhost:1/t-1/oauth2/v2.0/token",
        "exp": now + 600, "iat": now, "nbf": now,
        "iss": CLIENT, "sub": CLIENT, "jti": crate::random::uuid(),
    })
}

#[test]
fn the_documented_form_is_taken_by_both() {
    for strict in [true, false] {
        let bed = Bed::new(strict);
        assert_eq!(bed.judge_parts(&bed.header(), &claims()), "good");
        let sha1 = URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bed.der));
        let rs256 = json!({ "alg": "RS256", "typ": "JWT", "x5t": sha1 });
        assert_eq!(bed.judge_parts(&rs256, &claims()), "good");
        let chain = with(bed.header(), "x5c", json!([STANDARD.encode(&bed.der)]));
        assert_eq!(bed.judge_parts(&chain, &claims()), "good");
    }
}

#[test]
fn what_libraries_make_of_it_is_taken_unless_strict() {
    let now = clock::unix_now();
    type Made = fn(&Bed) -> (Value, Value);
    let azure_identity: Made = |bed| {
        let sha1 = STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &bed.der));
        let pem = STANDARD.encode(bed.certificate.certificate_pem());
        let header = json!({ "alg": "RS256", "typ": "JWT", "x5t": sha1, "x5c": [pem] });
        (header, without(claims(), "iat"))
    };
    let msal_go: Made = |bed| {
        let sha256 = STANDARD.encode(digest(&SHA256, &bed.der));
        (
            with(bed.header(), "x5t#S256", json!(sha256)),
            without(claims(), "iat"),
        )
    };
    let msal_python: Made = |bed| {
        let sha256 = URL_SAFE.encode(digest(&SHA256, &bed.der));
        let body: Vec<_> = STANDARD.encode(&bed.der).into_bytes();
        let lines: Vec<_> = body.chunks(64).map(String::from_utf8_lossy).collect();
        let header = with(bed.header(), "x5t#S256", json!(sha256));
        let fraction = clock::unix_now() + 0.25;
        let times = with(without(claims(), "nbf"), "iat", json!(fraction));
        (
            with(header, "x5c", json!([lines.join("\n")])),
            with(times, "exp", json!(fraction + 600.0)),
        )
    };
    for (name, made) in [
        ("azure_identity", azure_identity),
        ("MSAL Go", msal_go),
        ("MSAL Python", msal_python),
    ] {
        let (tolerant, strict) = (Bed::new(false), Bed::new(true));
        let (header, claims) = made(&tolerant);
        assert_eq!(tolerant.judge_parts(&header, &claims), "good", "{name}");
        // A library's assertion is used until it expires.
        assert_eq!(tolerant.judge_parts(&header, &claims), "good", "{name}");
        let (header, claims) = made(&strict);
        assert_ne!(strict.judge_parts(&header, &claims), "good", "{name}");
    }
    let day = with(claims(), "exp", json!(now as u64 + 86_400));
    let (tolerant, strict) = (Bed::new(false), Bed::new(true));
    assert_eq!(tolerant.judge_parts(&tolerant.header(), &day), "good");
    assert_eq!(strict.judge_parts(&strict.header(), &day), "50027");
    let once = claims();
    assert_eq!(strict.judge_parts(&strict.header(), &once), "good");
    assert_eq!(strict.judge_parts(&strict.header(), &once), "50027");
}

#[test]
fn each_mistake_has_its_number() {
    let bed = Bed::new(false);
    let now = clock::unix_now();
    let header = bed.header();
    for (header, claims, number) in [
        (
            with(header.clone(), "alg", json!("none")),
            claims(),
            "50027",
        ),
        (
            with(header.clone(), "alg", json!("RS512")),
            claims(),
            "50027",
        ),
        (
            with(header.clone(), "x5t#S256", json!("AAAA")),
            claims(),
            "700027",
        ),
        (
            with(header.clone(), "x5t", json!("AAAA")),
            claims(),
            "700027",
        ),
        (with(header.clone(), "x5c", json!([])), claims(), "50027"),
        (
            with(header.clone(), "x5c", json!(["AAAA"])),
            claims(),
            "50027",
        ),
        (
            json!({ "alg": "PS256", "x5c": ["AAAA"] }),
            claims(),
            "50027",
        ),
        (header.clone(), with(claims(), "iss", json!("c-2")), "50013"),
        (header.clone(), with(claims(), "sub", json!("c-2")), "50013"),
        (header.clone(), without(claims(), "aud"), "50013"),
        (
            header.clone(),
            with(
                claims(),
                "aud",
                json!("https://localhost/t-2/oauth2/v2.0/token"),
            ),
            "50013",
        ),
        (header.clone(), without(claims(), "exp"), "50027"),
        (
            header.clone(),
            with(claims(), "exp", json!(now - 400.0)),
            "700024",
        ),
        (
            header.clone(),
            with(claims(), "nbf", json!(now + 400.0)),
            "700024",
        ),
        (
            header.clone(),
            with(claims(), "iat", json!(now + 400.0)),
            "700024",
        ),
    ] {
        let judged = bed.judge_parts(&header, &claims);
        assert_eq!(judged, number, "{header} {claims}");
    }
    let good = bed.sign(&header, &claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    for (bad, number) in [
        ("no jwt", "50027"),
        ("a.b", "50027"),
        ("e30.e30.", "700211"),
        ("W10.e30.AA", "50027"),
        (&format!("{signed}.AAAA"), "700027"),
    ] {
        assert_eq!(bed.judge(bad), number, "{bad}");
    }
    let fields = |kind| [("client_id", CLIENT), ("client_assertion", &good), kind];
    assert_eq!(bed.judge_form(&fields(("x", "y"))), "900144");
    let wrong = ("client_assertion_type", "password");
    assert_eq!(bed.judge_form(&fields(wrong)), "50027");
    assert_eq!(bed.judge_form(&[("client_id", CLIENT)]), "7000218");
    assert_eq!(bed.judge(&good), "good");
    bed.state.control.forget_certificates();
    assert_eq!(bed.judge(&good), "700027");
}

#[test]
fn the_identity_sides_clock_counts() {
    let bed = Bed::new(false);
    let good = bed.sign(&bed.header(), &claims());
    for (skew, judged) in [
        (200, "good"),
        (-200, "good"),
        (1000, "700024"),
        (-400, "700024"),
    ] {
        bed.state.control.set_clock_skew(skew);
        assert_eq!(bed.judge(&good), judged, "{skew}");
    }
}

#[test]
fn one_foreign_issuer_is_trusted() {
    let bed = Bed::new(true);
    let key = &bed.state.issuer.key;
    let good = FederatedIssuer::token(key, Duration::from_secs(60));
    assert_eq!(bed.judge(&good), "good");
    assert_eq!(
        bed.judge(&good),
        "good",
        "a platform's token is for many uses"
    );
    let claims = key.verify(good.as_bytes()).unwrap();
    for (name, field, number) in [
        ("iss", json!("https://else.test/"), "700211"),
        ("sub", json!("system:serviceaccount:default:else"), "700213"),
        ("aud", json!("https://else.test/"), "700212"),
        ("aud", json!([]), "700212"),
        ("exp", json!(clock::unix_now() - 400.0), "700024"),
    ] {
        let other = key.sign(&with(claims.clone(), name, field)).unwrap();
        assert_eq!(bed.judge(&other), number, "{name}");
    }
    let single = with(claims, "aud", json!("api://AzureADTokenExchange"));
    assert_eq!(bed.judge(&key.sign(&single).unwrap()), "good");
    let (signed, _) = good.rsplit_once('.').unwrap();
    assert_eq!(bed.judge(&format!("{signed}.AAAA")), "700027");
    // A token for Redis is of the same key, and no assertion.
    let minted = bed.state.issuer.mint(&crate::identity::issuer::Order {
        lifetime: Duration::from_secs(60),
        resource: "https://redis.azure.com",
        skew_seconds: 0,
        flaw: None,
    });
    assert_eq!(bed.judge(&minted.unwrap().token), "700211");
}
