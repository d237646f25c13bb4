use redis_authx::ConfigError;
use ring::error::KeyRejected;
use ring::signature::RsaKeyPair;

use super::contents::PrivateKey;
use super::x509::is_rsa_key;

/// The key pair of an RSA key. `ring` keeps the numbers in memory of its own,
/// which it does not wipe; all that was read before is wiped.
pub(super) fn read(key: PrivateKey) -> Result<RsaKeyPair, ConfigError> {
    match key {
        PrivateKey::Pkcs1(der) => RsaKeyPair::from_der(&der).map_err(unusable),
        PrivateKey::Pkcs8(der) => match is_rsa_key(&der) {
            Ok(true) => RsaKeyPair::from_pkcs8(&der).map_err(unusable),
            Ok(false) => Err(wrong("a key of another algorithm than RSA")),
            Err(_) => Err(wrong("not PKCS#8")),
        },
        PrivateKey::Other(kind) => Err(wrong(kind)),
    }
}

/// ring says in one word what it does not like, as `TooSmall`.
fn unusable(reason: KeyRejected) -> ConfigError {
    wrong(format_args!("a key that is refused: {reason}"))
}

fn wrong(found: impl std::fmt::Display) -> ConfigError {
    ConfigError::invalid(
        "private_key",
        found,
        "an RSA key of 2048 to 4096 bits, in PKCS#8 or PKCS#1",
    )
}
