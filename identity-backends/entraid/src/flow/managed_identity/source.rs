use std::path::Path;

use crate::environment::Environment;

/// Where a managed identity's tokens come from: each place in Azure has an
/// endpoint of its own.
///
/// [`ManagedIdentity`](crate::ManagedIdentity) finds out which it is by the
/// first row that fits; blank variables are ones that are not set. The rows
/// are in the order of Microsoft's libraries, which agree on it but for Azure
/// Arc, Azure Machine Learning and Cloud Shell. **Variables that are left over
/// in a shell change what is found**; naming the source, with
/// [`source`](crate::ManagedIdentity::source), keeps to it.
///
/// | source | found by | [`UserAssignedId`](crate::UserAssignedId) |
/// |---|---|---|
/// | [`ServiceFabric`](Self::ServiceFabric) | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER`, `IDENTITY_SERVER_THUMBPRINT` | none |
/// | [`AppService`](Self::AppService) | `IDENTITY_ENDPOINT`, `IDENTITY_HEADER` | `Client`, `Object`, `Resource` |
/// | [`AzureArc`](Self::AzureArc) | `IDENTITY_ENDPOINT`, `IMDS_ENDPOINT` | none |
/// | [`MachineLearning`](Self::MachineLearning) | `MSI_ENDPOINT`, `MSI_SECRET` | `Client` |
/// | [`CloudShell`](Self::CloudShell) | `MSI_ENDPOINT` | none |
/// | [`AzureArc`](Self::AzureArc) | its agent's program, `himds`, is installed | none |
/// | [`VirtualMachine`](Self::VirtualMachine) | nothing of the above | `Client`, `Object`, `Resource` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ManagedIdentitySource {
    /// App Service, Functions, Container Apps, Automation (Microsoft Learn,
    /// "How to use managed identities for App Service and Azure Functions").
    AppService,
    /// A server that is connected by Azure Arc (Microsoft Learn, "Authenticate
    /// against Azure resources with Azure Arc-enabled servers"). The process
    /// must be allowed to read the agent's key files: on Linux, a member of
    /// the group `himds`.
    AzureArc,
    /// Azure Cloud Shell. The token is **the signed-in person's**, and so is
    /// the Redis user name.
    CloudShell,
    /// A compute instance or job of Azure Machine Learning. The system-assigned
    /// identity is that of `DEFAULT_IDENTITY_CLIENT_ID`, where that is set.
    MachineLearning,
    /// A Service Fabric application (Microsoft Learn, "How to leverage a
    /// Service Fabric application's managed identity to access Azure
    /// services"). Its endpoint's certificate is checked against
    /// `IDENTITY_SERVER_THUMBPRINT`, a SHA-1.
    ServiceFabric,
    /// A virtual machine, a scale set, a node of AKS: the Azure Instance
    /// Metadata Service, IMDS (Microsoft Learn, "How to use managed identities
    /// for Azure resources on an Azure VM to acquire an access token").
    /// `AZURE_POD_IDENTITY_AUTHORITY_HOST` moves it from
    /// `http://169.254.169.254`.
    VirtualMachine,
}

impl ManagedIdentitySource {
    /// Where this process runs, as far as can be told without asking anyone.
    pub(super) fn detect(environment: &Environment, himds_installed: bool) -> Self {
        let set = |name| environment.get(name).is_some();
        if set("IDENTITY_ENDPOINT") && set("IDENTITY_HEADER") {
            if set("IDENTITY_SERVER_THUMBPRINT") {
                Self::ServiceFabric
            } else {
                Self::AppService
            }
        } else if set("IDENTITY_ENDPOINT") && set("IMDS_ENDPOINT") {
            Self::AzureArc
        } else if set("MSI_ENDPOINT") && set("MSI_SECRET") {
            Self::MachineLearning
        } else if set("MSI_ENDPOINT") {
            Self::CloudShell
        } else if himds_installed {
            Self::AzureArc
        } else {
            Self::VirtualMachine
        }
    }
}

/// Whether Azure Arc's agent is on this machine.
pub(super) fn himds_installed(environment: &Environment) -> bool {
    if cfg!(windows) {
        environment.get("ProgramFiles").is_some_and(|folder| {
            Path::new(&folder)
                .join("AzureConnectedMachineAgent")
                .join("himds.exe")
                .exists()
        })
    } else {
        Path::new("/opt/azcmagent/bin/himds").exists()
    }
}

#[cfg(test)]
mod tests {
    use super::ManagedIdentitySource::{
        AppService, AzureArc, CloudShell, MachineLearning, ServiceFabric, VirtualMachine,
    };
    use super::*;

    #[test]
    fn each_combination_of_variables_has_its_source() {
        let rows: [(&[&str], ManagedIdentitySource); 14] = [
            (&[], VirtualMachine),
            (&["ENDPOINT"], VirtualMachine),
            (&["ENDPOINT", "HEADER"], AppService),
            (&["ENDPOINT", "HEADER", "THUMBPRINT"], ServiceFabric),
            (&["ENDPOINT", "HEADER", "IMDS"], AppService),
            (&["ENDPOINT", "IMDS"], AzureArc),
            (&["ENDPOINT", "THUMBPRINT"], VirtualMachine),
            (&["HEADER", "THUMBPRINT"], VirtualMachine),
            (&["MSI"], CloudShell),
            (&["MSI", "SECRET"], MachineLearning),
            (&["SECRET"], VirtualMachine),
            (&["ENDPOINT", "MSI"], CloudShell),
            (&["ENDPOINT", "HEADER", "MSI", "SECRET"], AppService),
            (&["ENDPOINT", "IMDS", "MSI", "SECRET"], AzureArc),
        ];
        for (set, source) in rows {
            let variables = set.iter().map(|short| match *short {
                "ENDPOINT" => ("IDENTITY_ENDPOINT", "x"),
                "HEADER" => ("IDENTITY_HEADER", "x"),
                "THUMBPRINT" => ("IDENTITY_SERVER_THUMBPRINT", "x"),
                "IMDS" => ("IMDS_ENDPOINT", "x"),
                "MSI" => ("MSI_ENDPOINT", "x"),
                _ => ("MSI_SECRET", "x"),
            });
            // What is blank is not set.
            let blank = [("IDENTITY_HEADER", " "), ("MSI_SECRET", "")];
            let environment = Environment::from_pairs(blank.into_iter().chain(variables));
            assert_eq!(
                ManagedIdentitySource::detect(&environment, false),
                source,
                "{set:?}"
            );
            let with_agent = if source == VirtualMachine {
                AzureArc
            } else {
                source
            };
            assert_eq!(
                ManagedIdentitySource::detect(&environment, true),
                with_agent,
                "{set:?}"
            );
        }
    }
}
