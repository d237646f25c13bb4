//! The RSA key that tokens are signed with, and JWTs in compact form (RFC 7515 §3.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    digest,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::{Value, json};

use crate::EmulatorError;

/// A fixed 2048-bit RSA key (PKCS#1). It is public: everyone has it who has
/// this crate, and it protects nothing. The emulator listens on loopback only
/// and everything it guards is test data; a fixed key makes every start
/// instant, where generating one takes up to seconds in a debug build.
const PUBLISHED_TEST_KEY: &[u8] = include_bytes!("published-test-key.der");

/// Signs tokens and checks them.
pub(crate) struct SigningKey {
    pair: RsaKeyPair,
    public: PublicKeyComponents<Vec<u8>>,
    id: String,
    rng: SystemRandom,
}

impl SigningKey {
    pub(crate) fn new() -> Result<Self, EmulatorError> {
        let pair = RsaKeyPair::from_der(PUBLISHED_TEST_KEY)
            .map_err(|_| EmulatorError::SigningKey("it can't be parsed"))?;
        let public: PublicKeyComponents<Vec<u8>> = pair.public().into();
        let id = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, &public.n));
        Ok(Self {
            pair,
            public,
            id: id[..27].to_owned(),
            rng: SystemRandom::new(),
        })
    }

    /// The JSON Web Key Set (RFC 7517 §5) of the one public key.
    pub(crate) fn key_set(&self) -> Value {
        json!({ "keys": [{
            "kty": "RSA",
            "use": "sig",
            "alg": "RS256",
            "kid": self.id,
            "n": URL_SAFE_NO_PAD.encode(&self.public.n),
            "e": URL_SAFE_NO_PAD.encode(&self.public.e),
        }] })
    }

    /// A signed JWT; `None` only if the signing itself fails.
    pub(crate) fn sign(&self, claims: &Value) -> Option<String> {
        let header = json!({ "typ": "JWT", "alg": "RS256", "kid": self.id });
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &self.rng,
                token.as_bytes(),
                &mut signature,
            )
            .ok()?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }

    /// The claims of a JWT that this key has signed with RS256; `None` for
    /// anything else.
    pub(crate) fn verify(&self, token: &[u8]) -> Option<Value> {
        let token = std::str::from_utf8(token).ok()?;
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Value = decode(header)?;
        if header.get("alg").and_then(Value::as_str) != Some("RS256") {
            return None;
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.public
            .verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
            .ok()?;
        decode(claims)
    }
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_verifies_and_what_is_changed_does_not() {
        let key = SigningKey::new().unwrap();
        let claims = json!({ "oid": "someone", "exp": 12 });
        let token = key.sign(&claims).unwrap();
        assert_eq!(key.verify(token.as_bytes()), Some(claims));

        let parts: Vec<_> = token.split('.').collect();
        let forged = URL_SAFE_NO_PAD.encode(json!({ "oid": "else", "exp": 12 }).to_string());
        let no_alg = URL_SAFE_NO_PAD.encode(json!({ "alg": "none" }).to_string());
        for bad in [
            format!("{}.{forged}.{}", parts[0], parts[2]),
            format!("{no_alg}.{}.", parts[1]),
            format!("{no_alg}.{}.{}", parts[1], parts[2]),
            format!("{}.{}", parts[0], parts[1]),
            "..".to_owned(),
            "garbage".to_owned(),
            String::new(),
            token[..token.len() - 2].to_owned(),
        ] {
            assert_eq!(key.verify(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(key.verify(&[0xff, 0xfe, b'.', b'.']), None);
    }

    #[test]
    fn the_key_set_holds_the_modulus_and_exponent() {
        let key = SigningKey::new().unwrap();
        let set = key.key_set();
        let n = URL_SAFE_NO_PAD
            .decode(set["keys"][0]["n"].as_str().unwrap())
            .unwrap();
        assert_eq!(n.len(), 256);
        assert_eq!(set["keys"][0]["e"], "AQAB");
    }
}
