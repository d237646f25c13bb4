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
    /// to: of several, as after a renewal, the one of the thumbprint that the
    /// user gave (`expected`), or else of those that are valid at `now` the one
    /// that is valid for longest.
    pub(super) fn new(
        contents: Contents,
        expected: Option<Thumbprint>,
        now: SystemTime,
    ) -> Result<Self, ConfigError> {
        let key = private_key::read(only_key(contents.keys)?)?;
        let mut chain = contents.certificates;
        let candidates = candidates(&chain, key.public().as_ref())?;
        let own = candidates.into_iter().max_by_key(|own| {
            let wanted = Some(own.thumbprint) == expected;
            (wanted, own.is_valid(now), own.not_after)
        });
        let Some(Own {
            index,
            thumbprint,
            not_before,
            not_after,
        }) = own
        else {
            return Err(foreign(&chain));
        };
        let certificate = chain.remove(index);
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

/// A certificate of the key, and its place in the chain.
struct Own {
    index: usize,
    thumbprint: Thumbprint,
    not_before: SystemTime,
    not_after: SystemTime,
}

impl Own {
    fn is_valid(&self, now: SystemTime) -> bool {
        (self.not_before..self.not_after).contains(&now)
    }
}

/// All of `chain` that have this key.
fn candidates(chain: &[Vec<u8>], public_key: &[u8]) -> Result<Vec<Own>, ConfigError> {
    let mut found = Vec::new();
    for (index, der) in chain.iter().enumerate() {
        let certificate = Certificate::parse(der).map_err(|_| {
            ConfigError::invalid(
                "certificate",
                format_args!("number {} cannot be read", index + 1),
                "X.509 certificates",
            )
        })?;
        if certificate.rsa_key == Some(public_key) {
            found.push(Own {
                index,
                thumbprint: Thumbprint::of(der),
                not_before: certificate.not_before,
                not_after: certificate.not_after,
            });
        }
    }
    Ok(found)
}

/// Why none of `chain` will do.
fn foreign(chain: &[Vec<u8>]) -> ConfigError {
    let Some(first) = chain.first() else {
        return ConfigError::missing(
            "certificate",
            "the certificate that is registered for the application",
        );
    };
    let thumbprint = Thumbprint::of(first);
    let found = match Certificate::parse(first) {
        Ok(certificate) if certificate.rsa_key.is_none() => {
            format!("{thumbprint}, whose key is not one of RSA")
        }
        _ => format!("{thumbprint}, which the private key does not belong to"),
    };
    ConfigError::invalid(
        "certificate",
        found,
        "the certificate that was issued for this private key, which must be an RSA key",
    )
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("thumbprint_sha256", &self.thumbprint)
            .field("expires", &httpdate::fmt_http_date(self.not_after))
            .finish_non_exhaustive()
    }
}
