//! The ways to sign in, one file or folder each.

#[macro_use]
mod setters;

mod assertion;
#[cfg(feature = "interactive")]
mod authorization_code;
mod client_assertion;
mod client_certificate;
mod client_secret;
mod default_azure;
mod developer;
#[cfg(feature = "interactive")]
mod device_code;
mod managed_identity;
mod settings;
#[cfg(feature = "interactive")]
mod user;
mod workload_identity;

#[cfg(feature = "interactive")]
pub use authorization_code::{AuthorizationCode, LoopbackSignIn, Prompt, SignIn};
pub use client_assertion::ClientAssertion;
pub use client_certificate::{AssertionAlgorithm, ClientCertificate};
pub use client_secret::ClientSecret;
pub use default_azure::DefaultAzureCredential;
pub use developer::{AzureCli, AzureDeveloperCli, AzurePowerShell, ToolError, ToolErrorKind};
#[cfg(feature = "interactive")]
pub use device_code::{DeviceCode, DeviceSignIn};
pub use managed_identity::{ManagedIdentity, ManagedIdentitySource, UserAssignedId};
pub use workload_identity::WorkloadIdentity;
