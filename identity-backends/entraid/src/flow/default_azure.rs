//! Whatever there is to sign in with.

mod from_environment;
mod member;
mod selection;

use redis_authx::{ConfigError, ProviderChain};

use super::settings::Settings;
use crate::EntraIdentity;
use crate::environment::Environment;
use crate::scope::check_app_scope;
use member::{Absent, Found, Member};

/// Signs in with what there is: the same program with its own identity in
/// Azure, and with the developer's on a developer's machine.
///
/// ```
/// use redis_authx_entraid::DefaultAzureCredential;
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = DefaultAzureCredential::new().build()?;
/// # Ok(())
/// # }
/// ```
///
/// In this order, which is that of Azure's SDKs for .NET, Python and JavaScript,
/// without those of theirs that need an editor or a window (Microsoft Learn,
/// "Credential chains in the Azure Identity library"):
///
/// | name | what | asked when there is |
/// |---|---|---|
/// | `EnvironmentCredential` | [`ClientSecret`](crate::ClientSecret) or [`ClientCertificate`](crate::ClientCertificate) | `AZURE_TENANT_ID` and `AZURE_CLIENT_ID`, with `AZURE_CLIENT_SECRET` or else `AZURE_CLIENT_CERTIFICATE_PATH` |
/// | `WorkloadIdentityCredential` | [`WorkloadIdentity`](crate::WorkloadIdentity) | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` and `AZURE_FEDERATED_TOKEN_FILE` |
/// | `ManagedIdentityCredential` | [`ManagedIdentity`](crate::ManagedIdentity), the one of `AZURE_CLIENT_ID` if that is set | always |
/// | `AzureCliCredential` | [`AzureCli`](crate::AzureCli) | always |
/// | `AzurePowerShellCredential` | [`AzurePowerShell`](crate::AzurePowerShell) | always |
/// | `AzureDeveloperCliCredential` | [`AzureDeveloperCli`](crate::AzureDeveloperCli) | always |
///
/// The chain goes on only past a member that isn't there
/// ([`ProviderChain`] has the whole rule):
///
/// | member | goes on | stops |
/// |---|---|---|
/// | the first two | its variables are not set | any answer of Entra ID that refuses, such as a wrong secret |
/// | `ManagedIdentityCredential` | no endpoint answers within a second, it is down, or no identity is assigned and `AZURE_CLIENT_ID` is not set | any other refusal, such as an unknown `AZURE_CLIENT_ID`; throttling |
/// | the tools | not installed, too old, not signed in to, too slow | a sign-in that Entra ID refuses or that has expired; an unknown failure; unreadable output |
/// | all | Entra ID can't be reached or is down; no answer within the member's share of the time | |
///
/// The chain stays with the member that had a token. Errors of that member that
/// pass with time are the chain's; after one that only a person can fix, all
/// others are asked. See [`ProviderChain::sticky`].
///
/// # Environment variables
/// Read when the identity is built, but for those that are marked; blank ones
/// are ones that are not set.
///
/// | variable | means |
/// |---|---|
/// | `AZURE_TOKEN_CREDENTIALS` | `prod`: only the first three. `dev`: only the last three. A name of the table: only that one, which must then have what it needs. Case does not matter. Not set: all |
/// | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID` | the tenant and the application or managed identity |
/// | `AZURE_AUTHORITY_HOST` | another cloud, as `https://login.microsoftonline.us` |
/// | `AZURE_CLIENT_SECRET` | the secret's value |
/// | `AZURE_CLIENT_CERTIFICATE_PATH` | a PEM file; with the feature `pkcs12`, one whose name ends in `.pfx` or `.p12` is PKCS#12 |
/// | `AZURE_CLIENT_CERTIFICATE_PASSWORD` | the PKCS#12 file's |
/// | `AZURE_CLIENT_SEND_CERTIFICATE_CHAIN` | `1` or `true`: see [`send_certificate_chain`](crate::ClientCertificate::send_certificate_chain) |
/// | `AZURE_FEDERATED_TOKEN_FILE` | the file of a workload's token |
/// | `IDENTITY_ENDPOINT`, `IMDS_ENDPOINT`, `MSI_ENDPOINT`, `IDENTITY_SERVER_THUMBPRINT`, `DEFAULT_IDENTITY_CLIENT_ID`, `AZURE_POD_IDENTITY_AUTHORITY_HOST` | where the managed identity is: see [`ManagedIdentitySource`](crate::ManagedIdentitySource) |
/// | `IDENTITY_HEADER`, `MSI_SECRET` | the secrets of its endpoints; also at each request |
/// | `ProgramFiles`, `ProgramData` | on Windows: the folders in which the agent of Azure Arc and its key files are |
/// | `PATH` | the folders that the tools are looked for in; at each request |
/// | `SystemRoot` | on Windows: the folder that the tools are run in; at each request |
///
/// # In production
/// A chain hides what is missing behind what is there: an identity that was not
/// assigned shows as a developer's tool that is not installed. Set
/// `AZURE_TOKEN_CREDENTIALS`, or build the one identity that is meant.
///
/// # Time
/// Elsewhere than in Azure the managed identity takes a second to be found
/// absent, then each tool a few. All of this is one request for the manager, and
/// each member gets an equal share of what is left of its time: with the default
/// of 10 s about 3 s for `az`, and what it leaves for the other two. On machines
/// with slow tools set a longer
/// [`request_timeout`](redis_authx::RefreshPolicyBuilder::request_timeout), or
/// name the tool in `AZURE_TOKEN_CREDENTIALS`.
/// Where only `ManagedIdentityCredential` is named it is not looked for first.
///
/// # Errors of a request
/// The source is a [`ChainError`](redis_authx::ChainError) with the error of
/// each member that was asked, those that lack configuration included.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct DefaultAzureCredential {
    settings: Settings,
    environment: Environment,
}

impl DefaultAzureCredential {
    /// All that the process's environment names.
    pub fn new() -> Self {
        Self::default()
    }

    token_setters! {}

    /// Where environment variables are read: a name's value, or `None`.
    /// Default: [`std::env::var_os`]. For tests, which can't set those of the
    /// process without harm, and for variables that are kept elsewhere.
    ///
    /// It is asked for every variable of the [list](Self#environment-variables),
    /// `PATH` included, and for some at each request: without `PATH` no tool is
    /// found. The tools themselves are started with the process's variables.
    pub fn environment<F>(mut self, variables: F) -> Self
    where
        F: Fn(&str) -> Option<String> + Send + Sync + 'static,
    {
        self.environment = Environment::from_fn(variables);
        self
    }

    /// Builds the identity. Reads the environment, and a certificate's file if
    /// it names one; sends nothing and runs nothing.
    ///
    /// # Errors
    /// Names the setting or environment variable that can't work:
    /// `AZURE_TOKEN_CREDENTIALS`; one that is set but wrong; the first that is
    /// missing, if `AZURE_TOKEN_CREDENTIALS` names what needs it; `certificate`,
    /// `private_key`, `scope` or `username_claim`.
    ///
    /// What only the managed identity or the tools do not take, as a scope with
    /// unusual characters, leaves those out, and is an error when nothing else
    /// is there to be asked.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        let members = selection::members(&self.environment)?;
        // What is wrong for each of them.
        check_app_scope(&self.settings.scope)?;
        self.settings.username.validate()?;
        if let [only] = members {
            return match self.member(*only, true)? {
                Found::Identity(identity) => Ok(identity),
                Found::Absent(Absent(reason)) => Err(reason),
            };
        }
        let mut chain: Option<ProviderChain> = None;
        let mut refusal = None;
        let mut nothing = true;
        for member in members {
            let next = match self.member(*member, false)? {
                Found::Identity(identity) => {
                    nothing = false;
                    identity
                }
                Found::Absent(reason) => {
                    // What is wrong says more than what is not set.
                    let wrong = reason.0.found().is_some();
                    refusal = refusal.or_else(|| wrong.then(|| reason.0.clone()));
                    EntraIdentity::new(reason)
                }
            };
            let longer = match chain {
                None => ProviderChain::new(next),
                Some(chain) => chain.or(next),
            };
            chain = Some(longer.named(member.name()));
        }
        if let Some(refusal) = refusal.filter(|_| nothing) {
            return Err(refusal);
        }
        chain
            .map(|chain| EntraIdentity::new(chain.sticky()))
            .ok_or_else(|| ConfigError::missing(selection::VARIABLE, "a credential to use"))
    }

    fn member(&self, member: Member, alone: bool) -> Result<Found, ConfigError> {
        member.build(&self.settings, &self.environment, alone)
    }
}

#[cfg(test)]
mod tests;
