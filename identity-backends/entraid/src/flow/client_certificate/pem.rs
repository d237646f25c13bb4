//! PEM (RFC 7468). Read here, since a general reader leaves unwiped copies of
//! a key behind, and skips what it does not know in place of naming it.

use std::str;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redis_authx::ConfigError;
use zeroize::Zeroizing;

use super::contents::{Contents, PrivateKey};

/// Adds a PEM text's certificates and private keys to `contents`. Other
/// sections are skipped, as is the text around them.
pub(super) fn read(text: &[u8], contents: &mut Contents) -> Result<(), ConfigError> {
    let Ok(mut rest) = str::from_utf8(text) else {
        return Err(not_pem(
            "binary data, as of a DER or PKCS#12 file, and no PEM",
        ));
    };
    while let Some(section) = next(&mut rest)? {
        let der = || section.decode();
        match section.label {
            "CERTIFICATE" => contents.certificates.push(der()?.to_vec()),
            "PRIVATE KEY" => contents.keys.push(PrivateKey::Pkcs8(der()?)),
            "RSA PRIVATE KEY" => contents.keys.push(PrivateKey::Pkcs1(der()?)),
            "EC PRIVATE KEY" => contents.keys.push(PrivateKey::Other("an EC key")),
            "DSA PRIVATE KEY" => contents.keys.push(PrivateKey::Other("a DSA key")),
            "ENCRYPTED PRIVATE KEY" => return Err(encrypted()),
            "OPENSSH PRIVATE KEY" => {
                let found = PrivateKey::Other("a key in OpenSSH's own format");
                contents.keys.push(found);
            }
            _ => {}
        }
    }
    Ok(())
}

struct Section<'a> {
    label: &'a str,
    body: &'a str,
}

/// The next section, taken off `rest`.
fn next<'a>(rest: &mut &'a str) -> Result<Option<Section<'a>>, ConfigError> {
    let Some((_, begun)) = rest.split_once("-----BEGIN ") else {
        return Ok(None);
    };
    let cut = || not_pem("PEM that is cut short");
    let (label, body) = begun.split_once("-----").ok_or_else(cut)?;
    let (body, after) = body.split_once("-----END ").ok_or_else(cut)?;
    let (end, after) = after.split_once("-----").ok_or_else(cut)?;
    if label != end || body.contains("-----BEGIN ") {
        return Err(not_pem(
            "PEM in which one section begins and another one ends",
        ));
    }
    *rest = after;
    Ok(Some(Section { label, body }))
}

impl Section<'_> {
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
        // Only the old encryption of OpenSSL puts headers there (RFC 1421).
        if self.body.contains("ENCRYPTED") {
            return Err(encrypted());
        }
        let mut packed = Zeroizing::new(String::with_capacity(self.body.len()));
        packed.extend(self.body.chars().filter(|c| !c.is_ascii_whitespace()));
        let mut der = Zeroizing::new(vec![0; packed.len() / 4 * 3 + 3]);
        let length = STANDARD
            .decode_slice(packed.as_bytes(), &mut der)
            .map_err(|_| not_pem("PEM that is damaged: a section is not base64"))?;
        der.truncate(length);
        Ok(der)
    }
}

fn not_pem(found: &'static str) -> ConfigError {
    ConfigError::invalid(
        "certificate",
        found,
        "PEM: a certificate, the chain that it comes with, and its private key",
    )
}

fn encrypted() -> ConfigError {
    ConfigError::invalid(
        "private_key",
        "encrypted",
        "a key that is not; `openssl pkey -in encrypted.pem -out app.pem` takes the encryption off",
    )
}
