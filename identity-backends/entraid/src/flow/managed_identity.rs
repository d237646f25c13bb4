//! The identity that Azure gives to the place a program runs in.

mod app_service;
mod arc;
mod cloud_shell;
mod endpoint;
mod id;
mod imds;
mod machine_learning;
mod provider;
mod refusal;
mod service_fabric;
mod source;

use std::path::PathBuf;

use redis_authx::ConfigError;

use super::settings::Settings;
use crate::EntraIdentity;
use crate::environment::Environment;
use crate::scope::resource_of;
use endpoint::Setup;
pub use id::UserAssignedId;
use provider::Flow;
pub use source::ManagedIdentitySource;

/// Signs in as the managed identity of the place that the program runs in: a
/// virtual machine, App Service, Azure Arc and
/// [others](ManagedIdentitySource). There is no secret to keep: the place's
/// own endpoint gives the tokens.
///
/// ```
/// use redis_authx_entraid::{ManagedIdentity, UserAssignedId};
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = ManagedIdentity::system_assigned().build()?;
///
/// let client_id = "8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11";
/// let identity = ManagedIdentity::user_assigned(UserAssignedId::Client(client_id.into()))
/// #   .source(redis_authx_entraid::ManagedIdentitySource::VirtualMachine)
///     .build()?;
/// # Ok(())
/// # }
/// ```
///
/// # Attempts
/// Each request is one attempt; the token manager makes the retries. What IMDS
/// asks of its clients (Microsoft Learn, "How to use managed identities for
/// Azure resources on an Azure VM to acquire an access token", retry guidance)
/// it learns from the errors:
///
/// | answer | kind | not again before |
/// |---|---|---|
/// | 404, 429 of IMDS | `Unavailable`, `Throttled` | 2 s, or `Retry-After` |
/// | 410: being updated, for up to 70 s | `Unavailable` | 10 s, or `Retry-After` |
/// | 5xx | `Unavailable` | 1 s, or `Retry-After` |
/// | other 4xx | `Rejected` or `Misconfigured` | not in this cycle |
/// | no answer; none in time | `Unavailable`; `Timeout` | |
///
/// With the default policies, five attempts and a cool-down of 30 s, an update
/// of 70 s is over in the second cycle at the latest; a token that is held
/// stays in use meanwhile.
///
/// # The same token again
/// Azure keeps a managed identity's token for about a day and gives it to all
/// who ask (Microsoft Learn, "Managed identities for Azure resources frequently
/// asked questions"), and a change of roles may take as long to show. The token
/// manager counts the same token
/// as no rotation: no connection logs in again by it.
///
/// When a Redis server has refused the token
/// ([`Refused`](redis_authx::RequestReason::Refused)), IMDS is asked with
/// `bypass_cache=true` for one that is not from its cache. IMDS's OpenAPI
/// document defines the parameter; Azure's other documentation says that no
/// token can be had before its time, so it may have no effect. The other
/// sources document no such parameter and are asked as ever.
///
/// # Proxies
/// No proxy is used, whatever the environment says: the endpoint is one that
/// only this machine can reach.
///
/// # Cancel safety
/// Dropping the future of a request leaves nothing behind.
#[derive(Clone, Debug)]
#[must_use]
pub struct ManagedIdentity {
    id: Option<UserAssignedId>,
    source: Option<ManagedIdentitySource>,
    environment: Environment,
    arc_key_directory: Option<PathBuf>,
    probe_first: bool,
    pub(super) settings: Settings,
}

impl ManagedIdentity {
    /// The identity that was made with the machine or application and goes
    /// with it. Where there is none, but one user-assigned identity, a virtual
    /// machine gives that.
    pub fn system_assigned() -> Self {
        Self {
            id: None,
            source: None,
            environment: Environment::process(),
            arc_key_directory: None,
            probe_first: false,
            settings: Settings::default(),
        }
    }

    /// An identity of its own, which was assigned to the machine or
    /// application. Azure Arc, Service Fabric and Cloud Shell can't be told
    /// which; see [`ManagedIdentitySource`].
    pub fn user_assigned(id: UserAssignedId) -> Self {
        Self {
            id: Some(id),
            ..Self::system_assigned()
        }
    }

    /// Where the tokens come from. Default: found out by
    /// [`build`](Self::build) from the environment.
    pub const fn source(mut self, source: ManagedIdentitySource) -> Self {
        self.source = Some(source);
        self
    }

    /// Where environment variables are read: a name's value, or `None`.
    /// Default: [`std::env::var_os`]. For tests, which can't set those of the
    /// process without harm, and for variables that are kept elsewhere.
    ///
    /// It is asked when the identity is built and, for secrets, at every
    /// request, so it must not block.
    pub fn environment<F>(mut self, variables: F) -> Self
    where
        F: Fn(&str) -> Option<String> + Send + Sync + 'static,
    {
        self.environment = Environment::from_fn(variables);
        self
    }

    /// The only directory that Azure Arc's agent may have its key files in.
    /// Default: `/var/opt/azcmagent/tokens`, on Windows
    /// `%ProgramData%\AzureConnectedMachineAgent\Tokens`. For tests, which
    /// can't write there: whoever listens on the agent's port can have this
    /// directory's `.key` files sent to him.
    pub fn arc_key_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.arc_key_directory = Some(directory.into());
        self
    }

    /// Whether to look first if there is a
    /// [virtual machine](ManagedIdentitySource::VirtualMachine)'s endpoint at
    /// all, for one second at most, until it has been seen once. Default:
    /// `false`. For a chain with something to fall back on: elsewhere than in
    /// Azure the address often swallows requests, and only the time limit ends
    /// them.
    ///
    /// Where no id was given, "no identity is assigned" is then
    /// [`NotConfigured`](redis_authx::ErrorKind::NotConfigured), which a chain
    /// goes on past, in place of `Misconfigured`.
    pub const fn probe_first(mut self, probe: bool) -> Self {
        self.probe_first = probe;
        self
    }

    token_setters! {}

    /// Builds the identity. Reads the environment; sends nothing.
    ///
    /// # Errors
    /// Names the setting that can't work: `user_assigned`, when the source
    /// does not take it, `scope`, `username_claim`, or the environment variable
    /// that is missing or malformed.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        use ManagedIdentitySource as Source;

        let environment = self.environment;
        let source = self
            .source
            .unwrap_or_else(|| Source::detect(&environment, source::himds_installed(&environment)));
        let resource = resource_of(&self.settings.scope)?;
        let setup = Setup {
            environment: &environment,
            id: self.id.as_ref(),
            resource,
        };
        let endpoint = match source {
            Source::AppService => app_service::endpoint(&setup),
            Source::AzureArc => arc::endpoint(&setup, self.arc_key_directory),
            Source::CloudShell => cloud_shell::endpoint(&setup),
            Source::MachineLearning => machine_learning::endpoint(&setup),
            Source::ServiceFabric => service_fabric::endpoint(&setup),
            Source::VirtualMachine => imds::endpoint(&setup),
        }?;
        let http = match (&self.settings.http, &endpoint.http) {
            (None, Some(http)) => std::sync::Arc::clone(http),
            _ => self.settings.http(),
        };
        Ok(EntraIdentity::new(Flow {
            source,
            environment: environment.clone(),
            resource: resource.to_owned(),
            http,
            reader: self.settings.reader()?,
            optional: self.probe_first && self.id.is_none(),
            probe: (self.probe_first && source == Source::VirtualMachine).into(),
            endpoint,
        }))
    }
}
