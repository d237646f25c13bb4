//! A server known by its certificate's thumbprint, whoever signed it.

use std::sync::Arc;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// The SHA-1 of a certificate's DER, as Windows names certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Thumbprint([u8; 20]);

impl Thumbprint {
    /// 40 hexadecimal digits, in either case; white space and colons between
    /// them, which certificate viewers put there, are left out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut digits = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != ':')
            .map(|c| c.to_digit(16));
        let mut bytes = [0; 20];
        for byte in &mut bytes {
            let (high, low) = (digits.next()??, digits.next()??);
            *byte = (high * 16 + low) as u8;
        }
        digits.next().is_none().then_some(Self(bytes))
    }

    fn is_of(self, certificate: &CertificateDer<'_>) -> bool {
        digest(&SHA1_FOR_LEGACY_USE_ONLY, certificate).as_ref() == self.0
    }
}

/// TLS to the one server that has the key of the certificate with this
/// thumbprint.
pub(super) fn config(thumbprint: Thumbprint) -> Result<ClientConfig, Error> {
    // Named, since an application may have set another provider, or two.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Pinned {
        thumbprint,
        algorithms: provider.signature_verification_algorithms,
    });
    Ok(
        ClientConfig::builder_with_provider(Arc::<CryptoProvider>::clone(&provider))
            .with_safe_default_protocol_versions()?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth(),
    )
}

/// Takes the certificate's name, dates and issuer for nothing: the thumbprint
/// says that it is the right one. That the server has its key is still proved
/// by the handshake's signature.
#[derive(Debug)]
struct Pinned {
    thumbprint: Thumbprint,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.thumbprint.is_of(end_entity) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_is_forty_digits_however_they_are_set() {
        let plain = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709";
        let empty = Thumbprint::parse(plain).expect("a thumbprint");
        assert!(empty.is_of(&CertificateDer::from(vec![])));
        assert!(!empty.is_of(&CertificateDer::from(vec![0])));
        let colons = "da:39:a3:ee:5e:6b:4b:0d:32:55:bf:ef:95:60:18:90:af:d8:07:09";
        for text in [
            plain.to_lowercase().as_str(),
            colons,
            &format!(" {plain}\r\n"),
        ] {
            assert_eq!(Thumbprint::parse(text), Some(empty), "{text}");
        }
        for text in [
            "",
            "DA39",
            &plain[1..],
            &format!("{plain}0"),
            &plain.replace('D', "G"),
        ] {
            assert_eq!(Thumbprint::parse(text), None, "{text}");
        }
    }
}
