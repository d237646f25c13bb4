use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::Value;

use crate::identity::refusal::Refusal;

/// A JWT in its compact form (RFC 7515 §3.1), taken apart and not verified.
pub(super) struct Jwt<'a> {
    pub(super) whole: &'a str,
    /// What the signature is over.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    pub(super) header: Value,
    claims: Value,
}

impl<'a> Jwt<'a> {
    pub(super) fn read(whole: &'a str) -> Result<Self, Refusal> {
        let parts = || {
            let (signed, signature) = whole.rsplit_once('.')?;
            let (header, claims) = signed.split_once('.')?;
            let bytes = |part: &str| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok();
            let object = |part| {
                let value = serde_json::from_slice::<Value>(&bytes(part)?).ok();
                value.filter(Value::is_object)
            };
            Some(Self {
                whole,
                signed,
                signature: bytes(signature)?,
                header: object(header)?,
                claims: object(claims)?,
            })
        };
        parts().ok_or_else(|| Refusal::bad_assertion("it is no JWT"))
    }

    /// Whether its header names a certificate.
    pub(super) fn is_of_a_certificate(&self) -> bool {
        ["x5t#S256", "x5t", "x5c"]
            .iter()
            .any(|name| self.header.get(name).is_some())
    }

    pub(super) fn text(&self, claim: &str) -> &str {
        self.claims[claim].as_str().unwrap_or_default()
    }

    pub(super) fn number(&self, claim: &str) -> Option<f64> {
        self.claims[claim].as_f64()
    }

    /// A claim that is a whole number.
    pub(super) fn integer(&self, claim: &str) -> Option<u64> {
        self.claims[claim].as_u64()
    }
}
