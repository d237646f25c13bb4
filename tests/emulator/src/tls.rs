//! A certificate authority made at each start, and the server certificate it signs.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use tokio_rustls::TlsAcceptor;

use crate::EmulatorError;

/// The names a client may know the emulator by. The last one is for clients
/// that accept no other host and are pointed here by a hosts file.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "login.microsoftonline.com"];

const DAY: Duration = Duration::from_secs(24 * 3600);

/// What both TLS listeners use, and the CA that clients have to trust.
pub(crate) struct Tls {
    pub(crate) ca_pem: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl Tls {
    pub(crate) fn generate() -> Result<Self, EmulatorError> {
        let failed = |error: rcgen::Error| EmulatorError::Certificates(Arc::new(error));

        let mut ca = CertificateParams::new(Vec::new()).map_err(failed)?;
        ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name = Default::default();
        ca.distinguished_name
            .push(DnType::CommonName, "redis-authx emulator, test CA");
        short_validity(&mut ca);
        let ca_key = KeyPair::generate().map_err(failed)?;
        let ca_certificate = ca.self_signed(&ca_key).map_err(failed)?;
        let issuer = Issuer::new(ca, ca_key);

        let mut leaf = CertificateParams::new(NAMES.map(String::from)).map_err(failed)?;
        leaf.distinguished_name = Default::default();
        leaf.distinguished_name
            .push(DnType::CommonName, "localhost");
        leaf.use_authority_key_identifier_extension = true;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        short_validity(&mut leaf);
        let leaf_key = KeyPair::generate().map_err(failed)?;
        let leaf_certificate = leaf.signed_by(&leaf_key, &issuer).map_err(failed)?;

        Ok(Self {
            ca_pem: ca_certificate.pem(),
            acceptor: acceptor(&leaf_certificate, &leaf_key)?,
        })
    }
}

/// A server whose certificate is signed by itself, as Service Fabric's endpoint
/// for managed identities is, and is for no name: clients know it by its SHA-1
/// thumbprint.
pub(crate) struct SelfSigned {
    pub(crate) thumbprint: String,
    pub(crate) acceptor: TlsAcceptor,
}

impl SelfSigned {
    pub(crate) fn generate() -> Result<Self, EmulatorError> {
        let failed = |error: rcgen::Error| EmulatorError::Certificates(Arc::new(error));

        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name = Default::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "redis-authx emulator, Service Fabric");
        short_validity(&mut params);
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.self_signed(&key).map_err(failed)?;
        let sha1 = digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate.der());
        Ok(Self {
            thumbprint: sha1
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02X}"))
                .collect(),
            acceptor: acceptor(&certificate, &key)?,
        })
    }
}

fn acceptor(certificate: &Certificate, key: &KeyPair) -> Result<TlsAcceptor, EmulatorError> {
    // The provider is named so that an application with another default
    // provider, or with two, still gets an emulator.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder.with_no_client_auth().with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
        })
        .map_err(|error| EmulatorError::Certificates(Arc::new(error)))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A day back, for clocks that differ, and 90 days on: some TLS stacks refuse
/// certificates with a long life.
fn short_validity(params: &mut CertificateParams) {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now.saturating_sub(DAY);
    params.not_after = epoch + now + DAY * 90;
}
