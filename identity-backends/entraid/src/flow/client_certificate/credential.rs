//! A certificate and its key, checked, and the assertions they sign.

use std::fmt;
use std::time::{Duration, SystemTime};

use redis_authx::ConfigError;
use ring::signature::RsaKeyPair;

use super::contents::{Contents, PrivateKey};
use super::private_key;
use super::thumbprint::Thumbprint;
use super::x509::Certificate;

/// How far this machine's clock may be behind for a certificate that has just
/// been issued.
const CLOCK_BEHIND: Duration = Duration::from_secs(300);

/// A key pair, the certificate it belongs to, and the others that came along.
pub(super) struct Credential {
    pub(super) key: RsaKeyPair,
    /// Each as DER, the key's own first.
    pub(super) chain: Vec<Vec<u8>>,
    pub(super) thumbprint: Thumbprint,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl Credential {
    /// The one private key of `contents`, and the certificate that it belongs
    /// to: of several, the one that is valid for longest. `expected` is the
    /// thumbprint that the user gave.
    pub(super) fn new(
        contents: Contents,
        expected: Option<Thumbprint>,
    ) -> Result<Self, ConfigError> {
        let key = private_key::read(only_key(contents.keys)?)?;
        let mut chain = contents.certificates;
        let (own, not_before, not_after) = own(&chain, key.public().as_ref())?;
        let certificate = chain.remove(own);
        let thumbprint = Thumbprint::of(&certificate);
        chain.insert(0, certificate);
        if let Some(expected) = expected.filter(|expected| *expected != thumbprint) {
            return Err(ConfigError::invalid(
                "thumbprint_sha256",
                expected,
                format!("the certificate's own, {thumbprint}, or none"),
            ));
        }
        Ok(Self {
            key,
            chain,
            thumbprint,
            not_before,
            not_after,
        })
    }

    /// Whether the certificate is valid now.
    pub(super) fn check_dates(&self, now: SystemTime) -> Result<(), ConfigError> {
        let problem = |what, when| {
            Err(ConfigError::invalid(
                "certificate",
                format_args!(
                    "{}, which {what} {}",
                    self.thumbprint,
                    httpdate::fmt_http_date(when)
                ),
                "a certificate that is valid by this machine's clock; renew it, or set the clock",
            ))
        };
        if now >= self.not_after {
            return problem("expired on", self.not_after);
        }
        let wait = self.not_before.duration_since(now);
        if wait.is_ok_and(|wait| wait > CLOCK_BEHIND) {
            return problem("is not valid before", self.not_before);
        }
        Ok(())
    }
}

fn only_key(keys: Vec<PrivateKey>) -> Result<PrivateKey, ConfigError> {
    let count = keys.len();
    let mut keys = keys.into_iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (None, _) => Err(ConfigError::missing(
            "private_key",
            "the certificate's private key, in PKCS#8 or PKCS#1",
        )),
        _ => Err(ConfigError::invalid(
            "private_key",
            format_args!("{count} keys"),
            "one key, the certificate's",
        )),
    }
}

/// Which of `chain` has this key, and when it is valid.
fn own(
    chain: &[Vec<u8>],
    public_key: &[u8],
) -> Result<(usize, SystemTime, SystemTime), ConfigError> {
    if chain.is_empty() {
        return Err(ConfigError::missing(
            "certificate",
            "the certificate that is registered for the application",
        ));
    }
    let mut own: Option<(usize, SystemTime, SystemTime)> = None;
    for (index, der) in chain.iter().enumerate() {
        let certificate = Certificate::parse(der).map_err(|_| {
            ConfigError::invalid(
                "certificate",
                format_args!("number {} cannot be read", index + 1),
                "X.509 certificates",
            )
        })?;
        let later = own.is_none_or(|(_, _, not_after)| certificate.not_after > not_after);
        if certificate.rsa_key == Some(public_key) && later {
            own = Some((index, certificate.not_before, certificate.not_after));
        }
    }
    own.ok_or_else(|| {
        let first = Thumbprint::of(&chain[0]);
        let found = match Certificate::parse(&chain[0]) {
            Ok(certificate) if certificate.rsa_key.is_none() => {
                format!("{first}, whose key is not one of RSA")
            }
            _ => format!("{first}, which the private key does not belong to"),
        };
        ConfigError::invalid(
            "certificate",
            found,
            "the certificate that was issued for this private key, which must be an RSA key",
        )
    })
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("thumbprint_sha256", &self.thumbprint)
            .field("expires", &httpdate::fmt_http_date(self.not_after))
            .finish_non_exhaustive()
    }
}
