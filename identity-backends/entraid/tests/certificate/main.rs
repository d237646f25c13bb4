//! Signing in by certificate.

mod assertion;
#[path = "../common/mod.rs"]
mod common;
mod made;
mod material;
#[cfg(feature = "pkcs12")]
mod pkcs12;
mod rotation;
