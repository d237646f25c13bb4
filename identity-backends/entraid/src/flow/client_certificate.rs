mod algorithm;
mod contents;
mod credential;
mod holder;
mod jwt;
mod pem;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod private_key;
mod source;
#[cfg(test)]
mod tests;
mod thumbprint;
mod x509;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use redis_authx::{ConfigError, ProviderError, async_trait};

use super::assertion::{self, Assertion};
use super::settings::{Settings, check_client_id};
use crate::EntraIdentity;
use crate::secret::Secret;
use crate::threads;
pub use algorithm::AssertionAlgorithm;
use holder::Holder;
use source::{Part, Source};
use thumbprint::Thumbprint;

/// Signs in as an application by a certificate that is registered for it: the
/// client credentials grant with a client assertion (RFC 7523 §2.2; Microsoft
/// Learn, "Microsoft identity platform application authentication certificate
/// credentials").
///
/// ```no_run
/// use redis_authx_entraid::{Authority, ClientCertificate};
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let client_id = "8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11";
/// let identity = ClientCertificate::from_pem_file(client_id, "app.pem")
///     .authority(Authority::tenant("contoso.onmicrosoft.com"))
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Certificate and key
/// One RSA key of 2048 to 4096 bits, not encrypted, in PKCS#8 or PKCS#1; the
/// certificate that belongs to it; and, in any order, others, such as the chain
/// that it comes with. Of several that belong to the key, the one that is valid
/// longest is taken. With the feature `pkcs12`, PKCS#12 files are read too
/// (`from_pkcs12_file`).
///
/// # Rotation
/// Files are read again for each token request, on a thread that may block,
/// so a new certificate needs no restart: register
/// it, then replace the file. A file that can't be used, being half written,
/// expired or another key's, changes nothing as long as the former certificate
/// is valid: it stays in use, and a warning goes to the [`log`]. After that, the
/// request fails as [`Misconfigured`](redis_authx::ErrorKind::Misconfigured),
/// with the [`ConfigError`] that [`build`](Self::build) would return as its
/// source; so it does when a certificate expires that nothing replaces. Nothing
/// is sent then.
///
/// # Secrets
/// The private key, and a PKCS#12 file's password, are redacted in `Debug`. What
/// was read of a key is wiped from memory, but not what `ring` computes with, nor
/// what the PKCS#12 reader keeps.
///
/// # Cancel safety
/// A request that is dropped while a file is read leaves a thread behind until
/// that is done.
#[derive(Clone, Debug)]
#[must_use]
pub struct ClientCertificate {
    client_id: String,
    source: Source,
    thumbprint: Option<String>,
    algorithm: AssertionAlgorithm,
    with_chain: bool,
    pub(super) settings: Settings,
}

impl ClientCertificate {
    /// The application (client) id of the app registration, and a PEM file
    /// with certificate and private key.
    pub fn from_pem_file(client_id: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        Self::new(client_id, Source::pem([Part::File(path.into())]))
    }

    /// With certificate and private key in a PEM file each, as `tls.crt` and
    /// `tls.key` of a Kubernetes secret.
    pub fn from_pem_files(
        client_id: impl Into<String>,
        certificate: impl Into<PathBuf>,
        private_key: impl Into<PathBuf>,
    ) -> Self {
        let parts = [certificate.into(), private_key.into()].map(Part::File);
        Self::new(client_id, Source::pem(parts))
    }

    /// With certificate and private key in one PEM text.
    pub fn from_pem(client_id: impl Into<String>, pem: impl Into<Vec<u8>>) -> Self {
        Self::new(client_id, Source::pem([Part::bytes(pem)]))
    }

    /// With certificate and private key in a PEM text each.
    pub fn from_pem_parts(
        client_id: impl Into<String>,
        certificate: impl Into<Vec<u8>>,
        private_key: impl Into<Vec<u8>>,
    ) -> Self {
        let parts = [Part::bytes(certificate), Part::bytes(private_key)];
        Self::new(client_id, Source::pem(parts))
    }

    /// With a PKCS#12 file (`.pfx`, `.p12`) and its password, which may be
    /// empty. Encryption by AES (PBES2), or by the older triple DES or 40-bit
    /// RC2.
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12_file(
        client_id: impl Into<String>,
        path: impl Into<PathBuf>,
        password: impl Into<String>,
    ) -> Self {
        Self::new_pkcs12(client_id, Part::File(path.into()), password)
    }

    /// With the bytes of a PKCS#12 file and their password; see
    /// [`from_pkcs12_file`](Self::from_pkcs12_file).
    #[cfg(feature = "pkcs12")]
    pub fn from_pkcs12(
        client_id: impl Into<String>,
        file: impl Into<Vec<u8>>,
        password: impl Into<String>,
    ) -> Self {
        Self::new_pkcs12(client_id, Part::bytes(file), password)
    }

    #[cfg(feature = "pkcs12")]
    fn new_pkcs12(client_id: impl Into<String>, part: Part, password: impl Into<String>) -> Self {
        let password = Secret::new(password);
        let source = Source {
            parts: vec![part],
            format: source::Format::Pkcs12 { password },
        };
        Self::new(client_id, source)
    }

    fn new(client_id: impl Into<String>, source: Source) -> Self {
        Self {
            client_id: client_id.into(),
            source,
            thumbprint: None,
            algorithm: AssertionAlgorithm::default(),
            with_chain: false,
            settings: Settings::default(),
        }
    }

    authority_setter! {
        /// Whose tenant the application signs in to. Must be set: the default,
        /// [`Authority::Default`](crate::Authority::Default), serves no
        /// applications.
    }

    /// The certificate's SHA-256 thumbprint in hex, to be sure of which
    /// certificate it is: another one is refused, also when it replaces the
    /// file. Default: any certificate will do; its thumbprint is computed.
    pub fn thumbprint_sha256(mut self, thumbprint: impl Into<String>) -> Self {
        self.thumbprint = Some(thumbprint.into());
        self
    }

    /// How assertions are signed. Default: [`AssertionAlgorithm::Ps256`].
    pub fn algorithm(mut self, algorithm: AssertionAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Whether assertions carry the certificate and the others that came with
    /// it, as header `x5c`: for applications that trust a subject name and
    /// issuer in place of a certificate. Default: `false`.
    pub fn send_certificate_chain(mut self, send: bool) -> Self {
        self.with_chain = send;
        self
    }

    token_setters! {}

    /// Builds the identity. Reads the files, on this thread; sends nothing.
    ///
    /// # Errors
    /// Names the setting that can't work: `client_id`, `certificate`,
    /// `private_key`, `password`, `thumbprint_sha256`, `authority`,
    /// `authority.tenant`, `authority.url`, `scope` or `username_claim`. A
    /// certificate is refused that has expired, is not valid for another five
    /// minutes, or does not belong to the key.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        check_client_id(&self.client_id, None)?;
        let expected = self.thumbprint.as_deref().map(Thumbprint::parse);
        let signer = Arc::new(Signer {
            client_id: self.client_id.clone(),
            algorithm: self.algorithm,
            with_chain: self.with_chain,
            holder: Holder::new(self.source, expected.transpose()?, SystemTime::now())?,
        });
        assertion::identity(self.client_id, self.settings, signer)
    }
}

#[derive(Debug)]
struct Signer {
    client_id: String,
    algorithm: AssertionAlgorithm,
    with_chain: bool,
    holder: Holder,
}

impl Signer {
    /// Blocks while a file is read.
    fn sign(&self, audience: &str, now: SystemTime) -> Result<Secret, ProviderError> {
        let credential = self
            .holder
            .current(now)
            .map_err(ProviderError::misconfigured)?;
        jwt::assertion(
            &credential,
            self.algorithm,
            self.with_chain,
            &self.client_id,
            audience,
            now,
        )
        .map_err(|_| {
            ProviderError::other("the assertion could not be signed: no randomness, or no clock")
        })
    }
}

#[async_trait]
impl Assertion for Arc<Signer> {
    async fn assertion(&self, audience: &str) -> Result<Secret, ProviderError> {
        let signer = Self::clone(self);
        let audience = audience.to_owned();
        threads::unblock(move || signer.sign(&audience, SystemTime::now())).await
    }
}
