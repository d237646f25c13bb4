//! Where a certificate and its key come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use redis_authx::ConfigError;
use ring::digest::{Context, SHA256};
use zeroize::Zeroizing;

use super::contents::Contents;
use super::pem;
use crate::file;

/// A long chain with a 4096-bit key has some 20 KiB.
const MAX_FILE: usize = 1024 * 1024;

/// What is read for a certificate and its key.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) parts: Vec<Part>,
    pub(super) format: Format,
}

#[derive(Clone)]
pub(super) enum Part {
    Bytes(Arc<Zeroizing<Vec<u8>>>),
    File(PathBuf),
}

#[derive(Clone, Debug)]
pub(super) enum Format {
    Pem,
    #[cfg(feature = "pkcs12")]
    Pkcs12 {
        password: crate::secret::Secret,
    },
}

/// What the parts held at one time.
pub(super) struct Reading {
    parts: Vec<Arc<Zeroizing<Vec<u8>>>>,
    /// By which two readings are told apart, without keeping either.
    pub(super) digest: [u8; 32],
}

impl Source {
    pub(super) fn pem(parts: impl IntoIterator<Item = Part>) -> Self {
        Self {
            parts: parts.into_iter().collect(),
            format: Format::Pem,
        }
    }

    /// Whether it can change.
    pub(super) fn is_on_disk(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::File(_)))
    }

    /// Reads the files. Blocks.
    pub(super) fn read(&self) -> Result<Reading, ConfigError> {
        let parts: Vec<_> = self
            .parts
            .iter()
            .map(Part::read)
            .collect::<Result<_, _>>()?;
        let mut context = Context::new(&SHA256);
        for part in &parts {
            // Their lengths too: what moves from one part to the next counts.
            context.update(&part.len().to_be_bytes());
            context.update(part);
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        Ok(Reading { parts, digest })
    }

    /// What is in it.
    pub(super) fn open(&self, reading: &Reading) -> Result<Contents, ConfigError> {
        let mut contents = Contents::default();
        for part in &reading.parts {
            match &self.format {
                Format::Pem => pem::read(part, &mut contents)?,
                #[cfg(feature = "pkcs12")]
                Format::Pkcs12 { password } => {
                    super::pkcs12::read(part, password.expose(), &mut contents)?;
                }
            }
        }
        Ok(contents)
    }
}

impl Part {
    pub(super) fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Bytes(Arc::new(Zeroizing::new(bytes.into())))
    }

    fn read(&self) -> Result<Arc<Zeroizing<Vec<u8>>>, ConfigError> {
        match self {
            Self::Bytes(bytes) if bytes.len() <= MAX_FILE => Ok(Arc::clone(bytes)),
            Self::Bytes(_) => Err(unreadable("longer than 1048576 bytes")),
            Self::File(path) => file::read(path, MAX_FILE).map(Arc::new).map_err(unreadable),
        }
    }
}

fn unreadable(found: impl fmt::Display) -> ConfigError {
    ConfigError::invalid("certificate", found, "a readable file of at most 1 MiB")
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(_) => f.write_str("[redacted]"),
            Self::File(path) => path.fmt(f),
        }
    }
}
