//! The ways to sign in, one file or folder each.

#[macro_use]
mod setters;

mod client_secret;
mod developer;
mod managed_identity;
mod settings;

pub use client_secret::ClientSecret;
pub use developer::{AzureCli, AzureDeveloperCli, AzurePowerShell, ToolError, ToolErrorKind};
pub use managed_identity::{ManagedIdentity, ManagedIdentitySource, UserAssignedId};
