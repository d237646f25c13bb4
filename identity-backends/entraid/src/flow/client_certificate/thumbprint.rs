use std::fmt;

use redis_authx::ConfigError;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};

/// The SHA-256 of a certificate's DER. Shown in hex, as the Azure portal and
/// `openssl x509 -fingerprint -sha256` do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Thumbprint([u8; 32]);

impl Thumbprint {
    pub(super) fn of(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(bytes)
    }

    /// Of hex digits in any case, with or without colons.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let digits: Option<Vec<u8>> = text
            .trim()
            .chars()
            .filter(|c| *c != ':')
            .map(|c| c.to_digit(16).map(|digit| digit as u8))
            .collect();
        let found = match digits.as_deref() {
            Some(digits) if digits.len() == 64 => {
                let mut bytes = [0; 32];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = pair[0] << 4 | pair[1];
                }
                return Ok(Self(bytes));
            }
            Some(digits) if digits.len() == 40 => "a SHA-1 thumbprint",
            Some(_) => "hex digits of another number",
            // Not shown: it may be a key in the wrong place.
            None => "a text that is not hex",
        };
        Err(ConfigError::invalid(
            "thumbprint_sha256",
            found,
            "64 hex digits, as `openssl x509 -noout -fingerprint -sha256` prints them",
        ))
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The thumbprint that `x5t` wants (RFC 7515 §4.1.7). It only names the
/// certificate; nothing depends on SHA-1's strength.
pub(super) fn sha1(der: &[u8]) -> ring::digest::Digest {
    digest(&SHA1_FOR_LEGACY_USE_ONLY, der)
}

#[cfg(test)]
mod tests {
    use super::*;

    // FIPS 180-4's example: SHA-256 of "abc".
    const ABC: &str = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";

    #[test]
    fn hex_is_read_in_all_its_forms() {
        let thumbprint = Thumbprint::of(b"abc");
        assert_eq!(thumbprint.to_string(), ABC);
        let pairs: Vec<_> = (0..32).map(|i| &ABC[2 * i..2 * i + 2]).collect();
        for text in [
            ABC.to_owned(),
            ABC.to_lowercase(),
            pairs.join(":"),
            format!(" {ABC}\n"),
        ] {
            assert_eq!(Thumbprint::parse(&text), Ok(thumbprint), "{text}");
        }
    }

    #[test]
    fn what_is_no_thumbprint_is_named_and_not_shown() {
        for (text, found) in [
            ("", "another number"),
            (&ABC[1..], "another number"),
            (&ABC[..40], "SHA-1"),
            ("hunter2", "not hex"),
        ] {
            let error = Thumbprint::parse(text).expect_err("no thumbprint");
            assert_eq!(error.field(), "thumbprint_sha256");
            assert!(error.to_string().contains(found), "{error}");
            assert!(!error.to_string().contains("hunter2"));
        }
    }
}
