//! What ties an answer to the request it is for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use crate::SignInError;
use crate::secret::Secret;

/// Of one sign-in, made anew for each.
#[derive(Debug)]
pub(super) struct Proof {
    /// RFC 7636 §4.1: 43 to 128 characters; 32 random bytes make 43.
    pub(super) verifier: Secret,
    /// RFC 6749 §10.12.
    pub(super) state: Secret,
    /// OpenID Connect Core §3.1.2.1.
    pub(super) nonce: Secret,
}

impl Proof {
    pub(super) fn new() -> Result<Self, SignInError> {
        let random = SystemRandom::new();
        Ok(Self {
            verifier: text::<32>(&random)?,
            state: text::<16>(&random)?,
            nonce: text::<16>(&random)?,
        })
    }

    /// The challenge of method `S256` (RFC 7636 §4.2).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.expose().as_bytes()))
    }
}

/// `N` random bytes in characters that need no escaping in a URL.
fn text<const N: usize>(random: &dyn SecureRandom) -> Result<Secret, SignInError> {
    let mut bytes = Zeroizing::new([0; N]);
    random
        .fill(&mut *bytes)
        .map_err(|_| SignInError::NoRandomness)?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(*bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7636_appendix_b() {
        let proof = Proof {
            verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            state: Secret::new(""),
            nonce: Secret::new(""),
        };
        assert_eq!(
            proof.challenge(),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn each_is_of_the_right_length_and_never_the_same() {
        let (a, b) = (Proof::new(), Proof::new());
        let (a, b) = (a.expect("random numbers"), b.expect("random numbers"));
        for (proof, length) in [(&a.verifier, 43), (&a.state, 22), (&a.nonce, 22)] {
            let text = proof.expose();
            assert_eq!(text.len(), length);
            let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
            assert!(text.chars().all(unreserved), "{text}");
        }
        let texts = [
            &a.verifier,
            &a.state,
            &a.nonce,
            &b.verifier,
            &b.state,
            &b.nonce,
        ];
        for (i, one) in texts.iter().enumerate() {
            for other in &texts[i + 1..] {
                assert_ne!(one.expose(), other.expose());
            }
        }
    }
}
