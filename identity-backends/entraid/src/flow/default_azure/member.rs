use redis_authx::{ConfigError, IdentityProvider, ProviderError, Token, TokenRequest, async_trait};

use super::from_environment;
use crate::environment::Environment;
use crate::flow::settings::Settings;
use crate::{
    AzureCli, AzureDeveloperCli, AzurePowerShell, EntraIdentity, ManagedIdentity, UserAssignedId,
    WorkloadIdentity,
};

/// One way to sign in of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    Environment,
    WorkloadIdentity,
    ManagedIdentity,
    AzureCli,
    AzurePowerShell,
    AzureDeveloperCli,
}

/// In the order in which they are asked.
pub(super) const ALL: [Member; 6] = [
    Member::Environment,
    Member::WorkloadIdentity,
    Member::ManagedIdentity,
    Member::AzureCli,
    Member::AzurePowerShell,
    Member::AzureDeveloperCli,
];

pub(super) enum Found {
    Identity(EntraIdentity),
    Absent(Absent),
}

/// Takes the place of a member that is not configured, for the error of the
/// chain.
#[derive(Debug)]
pub(super) struct Absent(pub(super) ConfigError);

#[async_trait]
impl IdentityProvider for Absent {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        Err(ProviderError::not_configured(self.0.clone()))
    }
}

impl Member {
    /// As Azure's SDKs call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Environment => "EnvironmentCredential",
            Self::WorkloadIdentity => "WorkloadIdentityCredential",
            Self::ManagedIdentity => "ManagedIdentityCredential",
            Self::AzureCli => "AzureCliCredential",
            Self::AzurePowerShell => "AzurePowerShellCredential",
            Self::AzureDeveloperCli => "AzureDeveloperCliCredential",
        }
    }

    /// Whether it refuses what another takes: not every place has the managed
    /// identity that `AZURE_CLIENT_ID` names, which may be meant for another
    /// member, and the tools take fewer scopes than Entra ID.
    const fn is_choosy(self) -> bool {
        !matches!(self, Self::Environment | Self::WorkloadIdentity)
    }

    /// `alone`: no other will be asked.
    pub(super) fn build(
        self,
        settings: &Settings,
        environment: &Environment,
        alone: bool,
    ) -> Result<Found, ConfigError> {
        let built = match self {
            Self::Environment => from_environment::identity(settings, environment),
            Self::WorkloadIdentity => {
                let mut identity = WorkloadIdentity::in_environment(environment.clone());
                identity.settings = settings.clone();
                identity.build()
            }
            Self::ManagedIdentity => managed(settings, environment, alone),
            Self::AzureCli => AzureCli::in_environment(settings, environment).build(),
            Self::AzurePowerShell => AzurePowerShell::in_environment(settings, environment).build(),
            Self::AzureDeveloperCli => {
                AzureDeveloperCli::in_environment(settings, environment).build()
            }
        };
        match built {
            Ok(identity) => Ok(Found::Identity(identity)),
            Err(error) if from_environment::is_absent(&error) => Ok(Found::Absent(Absent(error))),
            Err(error) if self.is_choosy() && !alone => Ok(Found::Absent(Absent(error))),
            Err(error) => Err(from_environment::by_variable(error)),
        }
    }
}

fn managed(
    settings: &Settings,
    environment: &Environment,
    alone: bool,
) -> Result<EntraIdentity, ConfigError> {
    let variables = environment.clone();
    let mut identity = match environment.get("AZURE_CLIENT_ID") {
        None => ManagedIdentity::system_assigned(),
        Some(id) => ManagedIdentity::user_assigned(UserAssignedId::Client(id.trim().to_owned())),
    };
    identity.settings = settings.clone();
    identity
        .environment(move |name| variables.get(name))
        .probe_first(!alone)
        .build()
}
