//! PKCS#12 (RFC 7292), as `.pfx` and `.p12` files are.

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error;
use redis_authx::ConfigError;
use zeroize::Zeroizing;

use super::contents::{Contents, PrivateKey};

/// Adds the certificates and private keys of a file to `contents`. What the
/// reader itself keeps of them is not wiped.
pub(super) fn read(
    file: &[u8],
    password: &str,
    contents: &mut Contents,
) -> Result<(), ConfigError> {
    let archive = Pkcs12Archive::from_pkcs12(file, password).map_err(|error| refused(&error))?;
    let certificates = archive.certs.iter().map(|bag| bag.cert.as_der().to_vec());
    contents.certificates.extend(certificates);
    let keys = archive.keys.iter().map(|bag| bag.key.as_der().to_vec());
    contents
        .keys
        .extend(keys.map(|key| PrivateKey::Pkcs8(Zeroizing::new(key))));
    Ok(())
}

/// Which of the reader's errors stand for what; it quotes none of the file.
fn refused(error: &Error) -> ConfigError {
    let (found, allowed) = match error {
        Error::MacError(_) | Error::Pkcs5Error(_) | Error::UnpadError => {
            return ConfigError::invalid(
                "password",
                "not the password of this file",
                "the password that the PKCS#12 file was made with",
            );
        }
        Error::UnsupportedEncryptionScheme | Error::UnsupportedMacAlgorithm => (
            "a PKCS#12 file with an encryption that can't be read",
            "one with AES (PBES2), or the older triple DES or 40-bit RC2, and a MAC of SHA-1 or \
             SHA-2",
        ),
        _ => (
            "not a PKCS#12 file, or a damaged one",
            "a PKCS#12 file with a certificate and its private key",
        ),
    };
    ConfigError::invalid("certificate", found, allowed)
}
