//! The certificates of the application's registration.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use webpki::EndEntityCert;

use crate::EmulatorError;

/// How many ids of assertions are remembered.
const IDS_KEPT: usize = 10_000;

/// A certificate that the client may sign with.
#[derive(Clone)]
pub(crate) struct Registered {
    pub(super) der: CertificateDer<'static>,
    /// Thumbprints in base64url without padding.
    pub(super) sha256: String,
    pub(super) sha1: String,
}

impl Registered {
    /// Reads the first certificate of a PEM text.
    pub(crate) fn from_pem(pem: &str) -> Result<Self, EmulatorError> {
        let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
            EmulatorError::Certificates(error.into())
        };
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|e| failed(e.into()))?;
        EndEntityCert::try_from(&der).map_err(|e| failed(e.into()))?;
        Ok(Self {
            sha256: URL_SAFE_NO_PAD.encode(digest(&SHA256, &der)),
            sha1: URL_SAFE_NO_PAD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &der)),
            der,
        })
    }
}

/// All of them, and the ids of assertions that were used.
#[derive(Default)]
pub(crate) struct Registration {
    certificates: Mutex<Vec<Registered>>,
    ids: Mutex<VecDeque<String>>,
}

impl Registration {
    pub(crate) fn add(&self, certificate: Registered) {
        lock(&self.certificates).push(certificate);
    }

    pub(crate) fn clear(&self) {
        lock(&self.certificates).clear();
    }

    pub(super) fn find(&self, is_it: impl Fn(&Registered) -> bool) -> Option<Registered> {
        let certificates = lock(&self.certificates);
        certificates
            .iter()
            .find(|registered| is_it(registered))
            .cloned()
    }

    /// Whether an id comes for the first time; it is used up by that.
    pub(super) fn is_fresh(&self, id: &str) -> bool {
        let mut ids = lock(&self.ids);
        if ids.iter().any(|known| known == id) {
            return false;
        }
        if ids.len() == IDS_KEPT {
            ids.pop_front();
        }
        ids.push_back(id.to_owned());
        true
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
