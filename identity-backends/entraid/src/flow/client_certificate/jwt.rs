//! The assertion that a certificate signs (RFC 7523 §3; Microsoft Learn,
//! "Microsoft identity platform application authentication certificate
//! credentials").

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::error::Unspecified;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256};
use serde_json::{Map, json};
use zeroize::Zeroizing;

use super::AssertionAlgorithm;
use super::credential::Credential;
use super::thumbprint::sha1;
use crate::secret::Secret;

/// Microsoft Learn wants 5 to 10 minutes. The longer one, for clocks that are
/// behind.
const LIFETIME: Duration = Duration::from_secs(600);

/// An assertion for `audience` by `client_id`, good from `now` on.
pub(super) fn assertion(
    credential: &Credential,
    algorithm: AssertionAlgorithm,
    with_chain: bool,
    client_id: &str,
    audience: &str,
    now: SystemTime,
) -> Result<Secret, Unspecified> {
    let random = SystemRandom::new();
    let now = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|_| Unspecified)?
        .as_secs();
    let claims = json!({
        "aud": audience,
        "exp": now + LIFETIME.as_secs(),
        "iat": now,
        "iss": client_id,
        "jti": uuid(&random)?,
        "nbf": now,
        "sub": client_id,
    });
    let header = URL_SAFE_NO_PAD.encode(header(credential, algorithm, with_chain));
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());

    let mut signature = vec![0; credential.key.public().modulus_len()];
    // In one piece, as it is wiped: a growing text leaves copies behind.
    let length = header.len() + claims.len() + signature.len() * 4 / 3 + 4;
    let mut jwt = Zeroizing::new(String::with_capacity(length));
    jwt.push_str(&header);
    jwt.push('.');
    jwt.push_str(&claims);
    let padding: &dyn ring::signature::RsaEncoding = match algorithm {
        AssertionAlgorithm::Ps256 => &RSA_PSS_SHA256,
        AssertionAlgorithm::Rs256 => &RSA_PKCS1_SHA256,
    };
    credential
        .key
        .sign(padding, &random, jwt.as_bytes(), &mut signature)?;
    jwt.push('.');
    URL_SAFE_NO_PAD.encode_string(&signature, &mut jwt);
    Ok(Secret::from(jwt))
}

fn header(credential: &Credential, algorithm: AssertionAlgorithm, with_chain: bool) -> String {
    let mut header = Map::new();
    header.insert("typ".into(), json!("JWT"));
    match algorithm {
        AssertionAlgorithm::Ps256 => {
            let thumbprint = URL_SAFE_NO_PAD.encode(credential.thumbprint.as_bytes());
            header.insert("alg".into(), json!("PS256"));
            header.insert("x5t#S256".into(), json!(thumbprint));
        }
        AssertionAlgorithm::Rs256 => {
            let thumbprint = URL_SAFE_NO_PAD.encode(sha1(&credential.chain[0]));
            header.insert("alg".into(), json!("RS256"));
            header.insert("x5t".into(), json!(thumbprint));
        }
    }
    if with_chain {
        // Not base64url: RFC 7515 §4.1.6.
        let chain: Vec<_> = credential
            .chain
            .iter()
            .map(|der| STANDARD.encode(der))
            .collect();
        header.insert("x5c".into(), json!(chain));
    }
    serde_json::Value::Object(header).to_string()
}

/// A version 4 UUID (RFC 9562 §5.4): no one may guess it, or use it up first.
fn uuid(random: &dyn SecureRandom) -> Result<String, Unspecified> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    let bits = u128::from_be_bytes(bytes);
    Ok(format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        bits >> 96,
        bits >> 80 & 0xffff,
        bits >> 64 & 0x0fff,
        bits >> 48 & 0x3fff | 0x8000,
        bits & 0xffff_ffff_ffff
    ))
}
