//! The ways to sign in, one folder each.

mod client_secret;
mod settings;

pub use client_secret::ClientSecret;
pub(crate) use client_secret::ClientSecretGrant;
