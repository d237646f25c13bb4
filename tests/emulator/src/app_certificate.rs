//! The certificate that an application signs in with.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, date_time_ymd};
use ring::digest::{Algorithm, SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::pki_types::PrivatePkcs8KeyDer;

use crate::EmulatorError;

/// A fixed 2048-bit RSA key (PKCS#8), as public as the one that tokens are
/// signed with, and for the same reason.
const PUBLISHED_APP_KEY: &[u8] = include_bytes!("published-app-key.der");

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The end of the year 9999, which no certificate outlives (RFC 5280 §4.1.2.5).
const LAST_DATE: Duration = Duration::from_secs(253_402_300_799);

/// A self-signed certificate with its RSA key, such as an application
/// registers and signs in with.
///
/// Each is another certificate, with a thumbprint of its own, but all have the
/// same key: it is published with this crate, and protects nothing.
#[derive(Clone)]
pub struct AppCertificate {
    der: Vec<u8>,
    certificate_pem: String,
    private_key_pem: String,
}

impl AppCertificate {
    /// A new one, good from a day ago for 90 days.
    ///
    /// # Errors
    /// [`EmulatorError::Certificates`] if it can't be made.
    pub fn generate() -> Result<Self, EmulatorError> {
        let now = SystemTime::now();
        Self::valid(now - DAY, now + 90 * DAY)
    }

    /// A new one, good from and until these times: to the second, and cut to
    /// the years 1970 to 9999.
    ///
    /// # Errors
    /// [`EmulatorError::Certificates`] if it can't be made.
    pub fn valid(from: SystemTime, until: SystemTime) -> Result<Self, EmulatorError> {
        let failed = |error: rcgen::Error| EmulatorError::Certificates(Arc::new(error));
        let key = PrivatePkcs8KeyDer::from(PUBLISHED_APP_KEY);
        let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &PKCS_RSA_SHA256).map_err(failed)?;
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name = Default::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "redis-authx emulator, test application");
        // Without one of its own it would be made from the key, and all alike.
        params.serial_number = Some(fastrand::u64(1..).into());
        let date = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            date_time_ymd(1970, 1, 1) + Duration::from_secs(since.min(LAST_DATE).as_secs())
        };
        (params.not_before, params.not_after) = (date(from), date(until));
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Self {
            der: certificate.der().to_vec(),
            certificate_pem: certificate.pem(),
            private_key_pem: key.serialize_pem(),
        })
    }

    /// Certificate and private key (PKCS#8) in one PEM text.
    pub fn pem(&self) -> String {
        format!("{}{}", self.certificate_pem, self.private_key_pem)
    }

    /// The certificate as PEM: what is registered.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The private key as PEM, in PKCS#8.
    pub fn private_key_pem(&self) -> &str {
        &self.private_key_pem
    }

    /// The SHA-256 of the certificate, as 64 hex digits.
    pub fn thumbprint_sha256(&self) -> String {
        self.thumbprint(&SHA256)
    }

    /// The SHA-1 of the certificate, as 40 hex digits: older libraries want it.
    pub fn thumbprint_sha1(&self) -> String {
        self.thumbprint(&SHA1_FOR_LEGACY_USE_ONLY)
    }

    fn thumbprint(&self, algorithm: &'static Algorithm) -> String {
        let bytes = digest(algorithm, &self.der);
        let pairs = bytes.as_ref().iter().map(|byte| format!("{byte:02X}"));
        pairs.collect()
    }
}

impl fmt::Debug for AppCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppCertificate")
            .field("thumbprint_sha256", &self.thumbprint_sha256())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_is_another_at_any_time() {
        let far = UNIX_EPOCH + Duration::from_secs(1 << 40);
        let a = AppCertificate::generate().unwrap();
        let b = AppCertificate::valid(UNIX_EPOCH - DAY, far).unwrap();
        assert_ne!(a.thumbprint_sha256(), b.thumbprint_sha256());
        assert_eq!(a.thumbprint_sha256().len(), 64);
        assert_eq!(a.thumbprint_sha1().len(), 40);
        assert_eq!(a.private_key_pem(), b.private_key_pem());
        assert!(a.pem().contains("BEGIN CERTIFICATE"));
        assert!(!format!("{a:?}").contains("PRIVATE"));
    }
}
