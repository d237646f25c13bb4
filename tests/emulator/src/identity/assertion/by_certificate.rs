//! Microsoft identity platform, "Application authentication certificate
//! credentials".

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::Value;
use url::Url;
use webpki::{
    EndEntityCert,
    ring::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY},
};

use super::{check_times, jwt::Jwt, registered::Registered};
use crate::identity::{IdentityState, refusal::Refusal};

/// The longest life that the document asks for, in seconds.
const LONGEST: f64 = 600.0;

pub(super) fn check(
    state: &IdentityState,
    tenant: &str,
    client: &str,
    jwt: &Jwt<'_>,
    now: f64,
) -> Result<(), Refusal> {
    let certificate = named(state, jwt)?;
    check_chain(state.strict_assertions, jwt, &certificate)?;
    check_signature(jwt, &certificate)?;
    for claim in ["iss", "sub"] {
        if !jwt.text(claim).eq_ignore_ascii_case(client) {
            return Err(Refusal::assertion_claim(claim, "the client's id"));
        }
    }
    if !is_audience(jwt.text("aud"), tenant, state.strict_assertions) {
        return Err(Refusal::assertion_claim(
            "aud",
            "the tenant's token endpoint",
        ));
    }
    check_times(jwt, now)?;
    if state.strict_assertions {
        check_strictly(state, jwt)?;
    }
    Ok(())
}

/// The registered certificate that the header names.
fn named(state: &IdentityState, jwt: &Jwt<'_>) -> Result<Registered, Refusal> {
    // Libraries encode it in three ways.
    let clean = |text: &str| {
        if state.strict_assertions {
            return text.to_owned();
        }
        text.trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_")
    };
    let thumbprint = |name: &str| jwt.header[name].as_str().map(clean);
    let (sha256, sha1) = (thumbprint("x5t#S256"), thumbprint("x5t"));
    if sha256.is_none() && sha1.is_none() {
        return Err(Refusal::bad_assertion(
            "its header has neither x5t#S256 nor x5t",
        ));
    }
    state
        .control
        .registration()
        .find(|registered| {
            sha256
                .as_ref()
                .is_none_or(|named| *named == registered.sha256)
                && sha1.as_ref().is_none_or(|named| *named == registered.sha1)
        })
        .ok_or_else(|| Refusal::unknown_certificate(&sha256.or(sha1).unwrap_or_default()))
}

fn check_signature(jwt: &Jwt<'_>, certificate: &Registered) -> Result<(), Refusal> {
    let algorithm = match jwt.header["alg"].as_str() {
        Some("PS256") => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        Some("RS256") => RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(Refusal::bad_assertion("its alg is not PS256 or RS256")),
    };
    EndEntityCert::try_from(&certificate.der)
        .and_then(|key| key.verify_signature(algorithm, jwt.signed.as_bytes(), &jwt.signature))
        .map_err(|_| Refusal::wrong_signature())
}

/// If a chain is sent, its first certificate is the one that is named.
fn check_chain(strict: bool, jwt: &Jwt<'_>, certificate: &Registered) -> Result<(), Refusal> {
    let first = match &jwt.header["x5c"] {
        Value::Null => return Ok(()),
        Value::Array(entries) => entries.first().and_then(Value::as_str),
        Value::String(entry) if !strict => Some(entry.as_str()),
        _ => None,
    };
    let der = first.and_then(|entry| {
        if strict {
            STANDARD.decode(entry).ok()
        } else {
            tolerantly(entry)
        }
    });
    if der.as_deref() == Some(&certificate.der[..]) {
        Ok(())
    } else {
        let problem = "x5c does not begin with the certificate that is named, as base64 of DER";
        Err(Refusal::bad_assertion(problem))
    }
}

/// DER in base64, with line breaks or without; or, as one library sends it, PEM
/// in base64.
fn tolerantly(entry: &str) -> Option<Vec<u8>> {
    let packed: String = entry.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = STANDARD_NO_PAD.decode(packed.trim_end_matches('=')).ok()?;
    match CertificateDer::from_pem_slice(&bytes) {
        Ok(der) => Some(der.to_vec()),
        Err(_) => Some(bytes),
    }
}

/// The host is not looked at: clients know this one by several names.
fn is_audience(audience: &str, tenant: &str, strict: bool) -> bool {
    let Ok(url) = Url::parse(audience) else {
        return false;
    };
    let path = url.path().to_ascii_lowercase();
    let Some(rest) = path.strip_prefix(&format!("/{}/", tenant.to_ascii_lowercase())) else {
        return false;
    };
    rest == "oauth2/v2.0/token" || !strict && ["oauth2/token", "v2.0", ""].contains(&rest)
}

/// What the document asks for, and not every library does.
fn check_strictly(state: &IdentityState, jwt: &Jwt<'_>) -> Result<(), Refusal> {
    let problem = match (jwt.integer("nbf"), jwt.integer("iat"), jwt.integer("exp")) {
        _ if jwt.header["typ"].as_str() != Some("JWT") => "its typ is not JWT",
        _ if jwt.whole.contains('=') => "it is padded",
        (Some(start), Some(_), Some(end)) if end as f64 - start as f64 > LONGEST => {
            "it lives longer than ten minutes"
        }
        (Some(_), Some(_), Some(_)) if jwt.text("jti").is_empty() => "it has no jti",
        (Some(_), Some(_), Some(_)) if !state.control.registration().is_fresh(jwt.text("jti")) => {
            "its jti was used before"
        }
        (Some(_), Some(_), Some(_)) => return Ok(()),
        _ => "nbf, iat and exp are not all there as whole numbers",
    };
    Err(Refusal::bad_assertion(problem))
}
